-- CreateTable
CREATE TABLE "Payment" (
    "id" SERIAL NOT NULL,
    "practitionerId" TEXT NOT NULL,
    "amountCents" INTEGER NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Payment_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Payment_practitionerId_idx" ON "Payment"("practitionerId");

-- AddForeignKey
ALTER TABLE "Payment" ADD CONSTRAINT "Payment_practitionerId_fkey" FOREIGN KEY ("practitionerId") REFERENCES "Practitioner"("id") ON DELETE CASCADE ON UPDATE CASCADE;
