-- additive: what is new in User is filled
-- AlterTable
ALTER TABLE "User" ADD COLUMN "displayName" TEXT;

UPDATE "User" SET "displayName" = split_part("name", ' ', 1) WHERE "displayName" IS NULL;

-- CreateIndex
CREATE INDEX CONCURRENTLY "User_displayName_idx" ON "User"("displayName");
