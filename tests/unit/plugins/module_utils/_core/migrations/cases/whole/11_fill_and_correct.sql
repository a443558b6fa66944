-- changes_data: name of User
ALTER TABLE "User" ADD COLUMN "displayName" TEXT;
UPDATE "User" SET "displayName" = "name";
UPDATE "User" SET "name" = trim("name");
