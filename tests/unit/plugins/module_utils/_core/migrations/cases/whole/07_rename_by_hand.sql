-- takes_away: column name of User is renamed to fullName
-- AlterTable
ALTER TABLE "User" RENAME COLUMN "name" TO "fullName";
