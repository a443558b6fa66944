-- unknown: Do
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM "User" GROUP BY "email" HAVING count(*) > 1) THEN
    DELETE FROM "User" a USING "User" b WHERE a."id" > b."id" AND a."email" = b."email";
  END IF;
END $$;
