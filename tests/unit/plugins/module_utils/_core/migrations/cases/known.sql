-- What code from before knows: the migrations that the release point has recorded.
CREATE TYPE "Role" AS ENUM ('USER', 'ADMIN');
CREATE TABLE "User" (
    "id" SERIAL NOT NULL,
    "email" VARCHAR(120) NOT NULL,
    "name" TEXT,
    "age" INTEGER NOT NULL DEFAULT 18,
    "role" "Role" NOT NULL DEFAULT 'USER',
    "code" VARCHAR(8),
    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
CREATE INDEX "User_name_idx" ON "User"("name");
CREATE TABLE "Post" ("id" TEXT NOT NULL, "title" TEXT NOT NULL, "authorId" INTEGER NOT NULL, CONSTRAINT "Post_pkey" PRIMARY KEY ("id"));
ALTER TABLE "Post" ADD CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "User" ADD CONSTRAINT "User_age_check" CHECK ("age" > 0);
CREATE TABLE "Audit" ("id" BIGSERIAL PRIMARY KEY, "at" TIMESTAMP(3) NOT NULL);
CREATE TRIGGER "Audit_stamp" BEFORE UPDATE ON "Audit" FOR EACH ROW EXECUTE FUNCTION stamp();
