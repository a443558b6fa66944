-- takes_away: changes its type to int8
-- AlterTable
ALTER TABLE "User" ALTER COLUMN "age" SET DATA TYPE BIGINT;
