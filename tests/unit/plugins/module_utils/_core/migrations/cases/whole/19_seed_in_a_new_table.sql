-- additive
CREATE TABLE "Plan" ("code" TEXT NOT NULL, "cents" INTEGER NOT NULL, CONSTRAINT "Plan_pkey" PRIMARY KEY ("code"));
INSERT INTO "Plan" ("code", "cents") VALUES ('free', 0), ('pro', 900);
ALTER TABLE "User" ADD COLUMN "planCode" TEXT NOT NULL DEFAULT 'free';
ALTER TABLE "User" ADD CONSTRAINT "User_planCode_fkey" FOREIGN KEY ("planCode") REFERENCES "Plan"("code") ON DELETE RESTRICT ON UPDATE CASCADE;
