-- AlterTable
ALTER TABLE "Practitioner" ADD COLUMN     "phone" TEXT;
