-- additive: no row of Post has null in title
-- AlterTable
ALTER TABLE "Post" ALTER COLUMN "title" DROP NOT NULL;
