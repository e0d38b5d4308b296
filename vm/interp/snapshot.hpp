// A run that waits, as bytes: what it needs to go on in another process, on another machine, in a later
// build, and nothing else. The run that goes on from them does exactly what the one that was never frozen
// does: the same calls, the same use of fuel, the same end at the same limits. Equal runs give equal bytes.
//
//   0  "FLOWS\r\n\x1a"  8 bytes, damaged visibly by text-mode transfers
//   8  version          u16, little-endian
//  10  check            XXH3-64 of all bytes behind it
//  18  the key of the module, u64; then numbers as byte_stream.hpp has them:
//      flow; flags (1: waits for a log line, otherwise a call; 2: in its body; 4: has handled a fault);
//      fuel used, calls, logs, bytes of heap used, its threshold
//      of a run that has handled a fault: the fault and where it was raised
//      fibers: their number and the image of their heap (heap_image.hpp); then for each its routines under
//      way, the outermost first, each with pc and the slots of the registers it may still read, in their
//      order. With branches (flag 8) each fiber begins with what it waits for and what it is a branch of,
//      and behind all come the groups of branches, whose turn is next, and the calls nobody wants
//
// Which routine an Invoke began and where its registers are follows from the code; which registers may be
// read, and their types, from liveness and verifier. What is read is checked against all of that.
//
// Version history; tests/replay keeps snapshots of each:
//   1  first version
#pragma once

#include <cstdint>

namespace flow {

inline constexpr std::uint16_t kSnapshotVersion = 1;
inline constexpr std::uint16_t kOldestReadSnapshot = 1;
// Where the check begins and what it covers, for tests that change the rest.
inline constexpr std::size_t kSnapshotCheckAt = 10;
inline constexpr std::size_t kSnapshotPayloadAt = 18;

}  // namespace flow
