// Modules as bytes: the `.flowc` file. Layout, little-endian:
//   0  "FLOWC\r\n\x1a"   8 bytes, damaged visibly by text-mode transfers
//   8  format version    u32 (kFormatVersion)
//  12  CRC-32 (zlib) of all bytes from 16 on, u32
//  16  payload length    u64
//  24  payload: sections in fixed order, each an ID (u8) and a length (u32): manifest first, then types,
//  constants, …
// Version history:
//   1  first version, before any release; not read any more
//   2  instructions of 64 bits, functions; before any release, not read any more
//   3  settings, options of calls, policies and results of flows, kinds of triggers; before any release, not
//   read
//      any more
//   4  which code cleans up; before any release, not read any more
//   5  defaults of the fields of records, which arguments have one, the type Bytes
//   6  kinds of credentials of connectors; pages, forms and files of requests, other spellings of fields and
//      other places of results; requests to any address, texts written for an API; second requests, uploads,
//      mails as bodies, sizes and allowed values of routes; quotas by value; digests. A field that version 5
//      lacks stands behind `io.is_since(6)`
//   7  reads that a list answers for several values at once
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

inline constexpr std::uint32_t kFormatVersion = 7;
inline constexpr std::uint32_t kOldestReadVersion = 5;
inline constexpr std::size_t kMaxModuleBytes = 16u << 20;

std::string encode(const Module& module);

// Refuses, saying why: another kind of file, a truncated or damaged one, a future version, counts and indices
// that do not fit. The result is well-formed but not yet safe to run: see verify().
Result<Module> decode(std::string_view bytes);

}  // namespace flow
