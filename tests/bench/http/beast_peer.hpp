// Boost.Beast as bare as it goes, to measure the Transports against: plain HTTP to one literal address over
// kept connections, one thread, and none of what a Transport promises (no deadline, no limits, no check of
// what is sent).
#pragma once

#include <cstddef>
#include <memory>

#include "stdlib/http/transport.hpp"

namespace flow {

// At most `connections` exchanges are under way at once; what is sent beyond them waits.
std::unique_ptr<Transport> make_beast_peer(std::size_t connections);

}  // namespace flow
