-- takes_away: name of User becomes NOT NULL
/*
  Warnings:

  - Made the column `name` on table `User` required. This step will fail if there are existing NULL values in that column.

*/
UPDATE "User" SET "name" = '' WHERE "name" IS NULL;
-- AlterTable
ALTER TABLE "User" ALTER COLUMN "name" SET NOT NULL;
