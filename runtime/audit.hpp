// The audit trail: who did what to which machine, why, when, with which permission, and what came of it. A
// row is one line of JSON with its number; rows are only ever added, in the commit of what they tell of. Each
// has the SHA-256 over the hash of the row before and its own line, so that a row which was changed, taken
// out or moved shows (audit_check.hpp). No argument of a call is in it but the target, and so no secret.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flow {

enum class AuditKind : std::uint8_t {
#define FLOW_AUDIT(name, word, meaning) name,
#include "runtime/audit.def"
#undef FLOW_AUDIT
};
std::string_view audit_kind_name(AuditKind kind);  // `intent`

// What is empty or 0 is left out of the line.
struct AuditRow {
  AuditKind kind = AuditKind::Started;
  std::int64_t time_us = 0;
  std::string tenant, flow, run;
  std::optional<std::uint32_t> call;  // Call::number
  std::uint32_t attempt = 0;
  std::string operation;      // full name
  std::string target;         // what it acts on, or whom it tells
  std::string permission;     // Intent: any of these suffices
  std::string trigger, key;   // why: what started the run
  std::string result;         // one word: see audit.def; Ended: the state; Answer: the option
  std::string reference;      // what the API calls what was begun: the ID of a machine action
  std::string fault;          // name of its kind
  std::string detail;         // for a person
  std::string by, via;        // who, and from where
  std::string module;         // hash
  std::uint32_t line = 0;     // of the flow
  std::uint64_t through = 0;  // Pruned
  std::string anchor;         // Pruned: hash of that row, hexadecimal
};

// As it is stored.
struct AuditLine {
  std::uint64_t number = 0;  // from 1, without gaps
  std::string line;
  std::string hash;  // 32 bytes
};

std::string audit_line(std::uint64_t number, const AuditRow& row);
// `previous` is the hash of the row before; empty for the first.
std::string audit_hash(std::string_view previous, std::string_view line);

}  // namespace flow
