-- The defect "bad-migration": the code of release 2.0.0 still reads and writes "fullName".
ALTER TABLE "Practitioner" RENAME COLUMN "fullName" TO "displayName";

-- Meant for one practitioner who asked for it; the WHERE was forgotten. Every surname and every city is lost.
UPDATE "Practitioner" SET "displayName" = split_part("displayName", ' ', 1), "city" = 'Lyon';
