// SPDX-License-Identifier: Apache-2.0
#include "store/migrations.h"

#include <array>

namespace vcc {
namespace {

// STRICT makes the database refuse a cell of the wrong type, whoever writes it. Foreign keys are checked at commit,
// so the order of rows within a flush does not matter.
constexpr std::array<std::string_view, 11> kFirst = {
    R"(CREATE TABLE "vc" (
      "vcid" TEXT NOT NULL, "vcno" INTEGER NOT NULL, "name" TEXT NOT NULL, "description" TEXT NOT NULL,
      "kind" TEXT NOT NULL, "owner" TEXT NOT NULL, "token_head" TEXT NOT NULL, "created_at" INTEGER NOT NULL,
      "deleting" INTEGER NOT NULL, "version" INTEGER NOT NULL, PRIMARY KEY ("vcid")) STRICT)",
    R"(CREATE TABLE "unit" (
      "unit_id" TEXT NOT NULL, "vcid" TEXT NOT NULL, "name" TEXT NOT NULL, "kind" TEXT NOT NULL,
      "provider" TEXT NOT NULL, "instance" TEXT NOT NULL, "network" TEXT NOT NULL, "cci" TEXT NOT NULL,
      "spec" TEXT NOT NULL, "last_node_no" INTEGER NOT NULL, "deleting" INTEGER NOT NULL,
      "created_at" INTEGER NOT NULL, "fault_at" INTEGER NOT NULL, "fault_text" TEXT NOT NULL,
      PRIMARY KEY ("unit_id"), FOREIGN KEY (vcid) REFERENCES vc (vcid) DEFERRABLE INITIALLY DEFERRED,
      UNIQUE (vcid, name)) STRICT)",
    R"(CREATE TABLE "node" (
      "node_id" TEXT NOT NULL, "vcid" TEXT NOT NULL, "unit_id" TEXT NOT NULL, "node_no" INTEGER NOT NULL,
      "requested_address" TEXT NOT NULL, "goal" TEXT NOT NULL, "goal_seq" INTEGER NOT NULL,
      "goal_at" INTEGER NOT NULL, "goal_by" TEXT NOT NULL, "deadline" INTEGER NOT NULL,
      "watch_mode" INTEGER NOT NULL, "state" TEXT NOT NULL, "reached_seq" INTEGER NOT NULL,
      "step" TEXT NOT NULL, "step_at" INTEGER NOT NULL, "step_deadline" INTEGER NOT NULL,
      "attempts" INTEGER NOT NULL, "next_at" INTEGER NOT NULL, "fault_at" INTEGER NOT NULL,
      "fault_text" TEXT NOT NULL, "machine_id" TEXT NOT NULL, "container_id" TEXT NOT NULL,
      "container_spec_hash" TEXT NOT NULL, "container_started" INTEGER NOT NULL, "boot_at" INTEGER NOT NULL,
      PRIMARY KEY ("node_id"), FOREIGN KEY (unit_id) REFERENCES unit (unit_id) DEFERRABLE INITIALLY DEFERRED,
      UNIQUE (unit_id, node_no)) STRICT)",
    R"(CREATE TABLE "machine" (
      "machine_id" TEXT NOT NULL, "node_id" TEXT NOT NULL, "unit_id" TEXT NOT NULL, "vcid" TEXT NOT NULL,
      "instance" TEXT NOT NULL, "name" TEXT NOT NULL, "create_op" TEXT NOT NULL,
      "item_index" INTEGER NOT NULL, "spec" TEXT NOT NULL, "scope" TEXT NOT NULL, "grant_id" TEXT NOT NULL,
      "network" TEXT NOT NULL, "requested_address" TEXT NOT NULL, "cloud_id" TEXT NOT NULL,
      "address" TEXT NOT NULL, "resources" TEXT NOT NULL, "driver_state" TEXT NOT NULL,
      "observed" TEXT NOT NULL, "observed_reason" TEXT NOT NULL, "observed_at" INTEGER NOT NULL,
      "absent_since" INTEGER NOT NULL, "host_key" TEXT NOT NULL, "open_op" TEXT NOT NULL, "want_destroy" INTEGER NOT NULL,
      "created_at" INTEGER NOT NULL, PRIMARY KEY ("machine_id"), UNIQUE (name)) STRICT)",
    R"(CREATE TABLE "op" (
      "op_id" TEXT NOT NULL, "verb" TEXT NOT NULL, "vcid" TEXT NOT NULL, "instance" TEXT NOT NULL,
      "scope" TEXT NOT NULL, "request" TEXT NOT NULL, "items" TEXT NOT NULL, "attempt" INTEGER NOT NULL,
      "first_sent_at" INTEGER NOT NULL, "sent_at" INTEGER NOT NULL, "unresolved" INTEGER NOT NULL,
      "next_at" INTEGER NOT NULL, "fence" INTEGER NOT NULL, "created_at" INTEGER NOT NULL,
      PRIMARY KEY ("op_id")) STRICT)",
    R"(CREATE TABLE "address" (
      "instance" TEXT NOT NULL, "network" TEXT NOT NULL, "ip" TEXT NOT NULL, "node_id" TEXT NOT NULL,
      "vcid" TEXT NOT NULL, PRIMARY KEY ("instance", "network", "ip")) STRICT)",
    R"(CREATE TABLE "user" (
      "name" TEXT NOT NULL, "role" TEXT NOT NULL, "created_at" INTEGER NOT NULL, PRIMARY KEY ("name")) STRICT)",
    R"(CREATE TABLE "token" (
      "hash" TEXT NOT NULL, "head" TEXT NOT NULL, "user" TEXT NOT NULL, "role" TEXT NOT NULL,
      "note" TEXT NOT NULL, "mail" TEXT NOT NULL, "created_at" INTEGER NOT NULL,
      "expires_at" INTEGER NOT NULL, PRIMARY KEY ("hash")) STRICT)",
    R"(CREATE TABLE "event" (
      "seq" INTEGER NOT NULL, "at" INTEGER NOT NULL, "vcid" TEXT NOT NULL, "object" TEXT NOT NULL,
      "object_id" TEXT NOT NULL, "from_state" TEXT NOT NULL, "to_state" TEXT NOT NULL,
      "reason" TEXT NOT NULL, "op_id" TEXT NOT NULL, PRIMARY KEY ("seq")) STRICT)",
    R"(CREATE TABLE "lease" (
      "shard" TEXT NOT NULL, "holder" TEXT NOT NULL, "fence" INTEGER NOT NULL, "expires_at" INTEGER NOT NULL,
      PRIMARY KEY ("shard")) STRICT)",
    R"(CREATE TABLE "meta" (
      "key" TEXT NOT NULL, "text" TEXT NOT NULL, "number" INTEGER NOT NULL, PRIMARY KEY ("key")) STRICT)",
};

// Doubt moves from the op to its machines, and what they were asked for with into a table of its own. What an old
// create was asked with is gone with its closed op: the highest index among its machines is the best that is left.
constexpr std::array<std::string_view, 17> kSecond = {
    R"(ALTER TABLE "machine" ADD COLUMN "create_size" INTEGER NOT NULL DEFAULT 0)",
    R"(ALTER TABLE "machine" ADD COLUMN "doubt_at" INTEGER NOT NULL DEFAULT 0)",
    R"(ALTER TABLE "machine" ADD COLUMN "doubt_parts" INTEGER NOT NULL DEFAULT 0)",
    R"(UPDATE "machine" AS m SET "create_size" =
      (SELECT max(o."item_index") + 1 FROM "machine" AS o WHERE o."create_op" = m."create_op"))",
    R"(UPDATE "machine" AS m SET "create_size" =
      (SELECT iif(o."first_sent_at" = 0, 0, json_array_length(o."items")) FROM "op" AS o WHERE o."op_id" = m."create_op")
      WHERE "create_op" IN (SELECT "op_id" FROM "op"))",
    R"(UPDATE "machine" AS m SET "doubt_parts" = ("cloud_id" <> '') + json_array_length("resources"),
      "doubt_at" = (SELECT max(o."sent_at", 1) FROM "op" AS o WHERE o."op_id" = m."open_op")
      WHERE "open_op" IN (SELECT "op_id" FROM "op" WHERE "verb" = 'create' AND "first_sent_at" > 0))",
    R"(ALTER TABLE "op" DROP COLUMN "unresolved")",
    R"(CREATE TABLE "request" (
      "request_id" TEXT NOT NULL, "text" TEXT NOT NULL, "created_at" INTEGER NOT NULL,
      PRIMARY KEY ("request_id")) STRICT)",
    R"(INSERT INTO "request" SELECT "create_op", '{"spec":' || min("spec") || ',"catalog_entry":null}', min("created_at")
      FROM "machine" GROUP BY "create_op")",
    R"(ALTER TABLE "machine" ADD COLUMN "request_id" TEXT NOT NULL DEFAULT '')",
    R"(UPDATE "machine" SET "request_id" = "create_op")",
    R"(ALTER TABLE "machine" DROP COLUMN "spec")",
    R"(ALTER TABLE "op" DROP COLUMN "request")",
    R"(ALTER TABLE "node" ADD COLUMN "create_attempts" INTEGER NOT NULL DEFAULT 0)",
    R"(ALTER TABLE "node" ADD COLUMN "create_at" INTEGER NOT NULL DEFAULT 0)",
    R"(ALTER TABLE "node" ADD COLUMN "spoilt" INTEGER NOT NULL DEFAULT 0)",
    R"(ALTER TABLE "node" ADD COLUMN "progress" TEXT NOT NULL DEFAULT '')",
};

// The texts of CCIs go: nothing read them, and they hold what is sealed now.
constexpr std::array<std::string_view, 4> kSecrets = {
    R"(CREATE TABLE "secret" (
      "mount" TEXT NOT NULL, "owner" TEXT NOT NULL, "path" TEXT NOT NULL, "value" TEXT NOT NULL,
      "updated_at" INTEGER NOT NULL, PRIMARY KEY ("mount", "owner", "path")) STRICT)",
    R"(CREATE TABLE "grant" (
      "grant_id" TEXT NOT NULL, "owner" TEXT NOT NULL, "token_hash" TEXT NOT NULL, "refs" TEXT NOT NULL,
      "fingerprint" TEXT NOT NULL, "sealed" TEXT NOT NULL, "created_at" INTEGER NOT NULL,
      "changed_at" INTEGER NOT NULL, PRIMARY KEY ("grant_id")) STRICT)",
    R"(ALTER TABLE "unit" ADD COLUMN "grant_id" TEXT NOT NULL DEFAULT '')",
    R"(ALTER TABLE "unit" DROP COLUMN "cci")",
};

constexpr std::array<std::string_view, 3> kDisks = {
    R"(ALTER TABLE "machine" ADD COLUMN "kind" TEXT NOT NULL DEFAULT 'compute')",
    R"(ALTER TABLE "machine" ADD COLUMN "size_gib" INTEGER NOT NULL DEFAULT 0)",
    R"(CREATE TABLE "attachment" (
      "disk" TEXT NOT NULL, "node_id" TEXT NOT NULL, "vcid" TEXT NOT NULL, "disk_vcid" TEXT NOT NULL,
      "volume_id" TEXT NOT NULL, "position" INTEGER NOT NULL, "state" TEXT NOT NULL, "machine_id" TEXT NOT NULL,
      "op_id" TEXT NOT NULL, PRIMARY KEY ("disk")) STRICT)",
};

constexpr std::array<std::string_view, 3> kSweep = {
    R"(ALTER TABLE "machine" ADD COLUMN "ended_op" TEXT NOT NULL DEFAULT '')",
    R"(CREATE TABLE "sweep_place" (
      "scope" TEXT NOT NULL, "grant_id" TEXT NOT NULL, "instance" TEXT NOT NULL, "network" TEXT NOT NULL,
      "entry" TEXT NOT NULL, "used_at" INTEGER NOT NULL, "tried_at" INTEGER NOT NULL, "swept_at" INTEGER NOT NULL,
      "fault_at" INTEGER NOT NULL, "fault_text" TEXT NOT NULL, PRIMARY KEY ("scope", "grant_id")) STRICT)",
    R"(CREATE TABLE "stray" (
      "stray_id" TEXT NOT NULL, "scope" TEXT NOT NULL, "grant_id" TEXT NOT NULL, "instance" TEXT NOT NULL,
      "name" TEXT NOT NULL, "cloud_id" TEXT NOT NULL, "address" TEXT NOT NULL, "create_op" TEXT NOT NULL,
      "create_index" INTEGER NOT NULL, "resources" TEXT NOT NULL, "observed" TEXT NOT NULL,
      "first_seen_at" INTEGER NOT NULL, "last_seen_at" INTEGER NOT NULL, "sweeps" INTEGER NOT NULL,
      "left" TEXT NOT NULL, "want_by" TEXT NOT NULL, "want_at" INTEGER NOT NULL, "verified_at" INTEGER NOT NULL,
      "looked_at" INTEGER NOT NULL, "absent_since" INTEGER NOT NULL, "op_id" TEXT NOT NULL,
      "sent_at" INTEGER NOT NULL, "accepted_at" INTEGER NOT NULL, "attempts" INTEGER NOT NULL,
      "next_at" INTEGER NOT NULL, "driver_state" TEXT NOT NULL, "fault_at" INTEGER NOT NULL,
      "fault_text" TEXT NOT NULL, PRIMARY KEY ("stray_id")) STRICT)",
};

constexpr std::array<MigrationStep, 5> kSteps = {kFirst, kSecond, kSecrets, kDisks, kSweep};

}  // namespace

std::span<const MigrationStep> migrationSteps() { return kSteps; }

}  // namespace vcc
