-- takes_away: column name of User is dropped
BEGIN;
CREATE TABLE "Profile" ("id" SERIAL PRIMARY KEY, "userId" INTEGER NOT NULL UNIQUE, "name" TEXT);
INSERT INTO "Profile" ("userId", "name") SELECT "id", "name" FROM "User";
ALTER TABLE "User" DROP COLUMN "name";
COMMIT;
