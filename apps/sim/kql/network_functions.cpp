#include <charconv>
#include <optional>

#include "apps/sim/kql/functions.hpp"

namespace flow::kql {
namespace {

struct Network {
  std::uint32_t address = 0;
  unsigned bits = 32;

  bool contains(const Network& other) const {
    return other.bits >= bits && (bits == 0 || (address ^ other.address) >> (32 - bits) == 0);
  }
};

// `10.1.2.3`, `10.0.0.0/8`
std::optional<Network> network_of(std::string_view text) {
  Network network;
  const char *at = text.data(), *const end = at + text.size();
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && (at == end || *at++ != '.')) return std::nullopt;
    unsigned byte = 0;
    const auto read = std::from_chars(at, end, byte);
    if (read.ec != std::errc() || byte > 255 || read.ptr - at > 3) return std::nullopt;
    network.address = network.address << 8 | byte;
    at = read.ptr;
  }
  if (at == end) return network;
  if (*at++ != '/') return std::nullopt;
  const auto read = std::from_chars(at, end, network.bits);
  if (at == end || read.ec != std::errc() || read.ptr != end || network.bits > 32) return std::nullopt;
  return network;
}

Value is_private(Run&, Arguments a) {
  const auto network = network_of(a[0].text());
  if (!network) return {};
  for (const char* range : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"})
    if (network_of(range)->contains(*network)) return true;
  return false;
}

Value is_in_range(Run&, Arguments a) {
  const auto address = network_of(a[0].text()), range = network_of(a[1].text());
  return address && range ? Value(range->contains(*address)) : Value();
}

// The ranges are arguments, or a list of them.
Value is_in_any_range(Run& run, Arguments a) {
  const auto address = network_of(a[0].text());
  if (!address) return {};
  const auto fits = [&](const Value& value) {
    const auto range = network_of(to_text(value));
    return range && range->contains(*address);
  };
  for (const Value& value : a.subspan(1)) {
    const Json* json = value.json();
    if (json == nullptr || !json->is_list()) {
      if (fits(value)) return true;
      continue;
    }
    for (const Json& item : json->items())
      if (run.spend(1) && fits(Value::dynamic(item))) return true;
  }
  return false;
}

// With a third argument, only so many bits count.
Value is_match(Run&, Arguments a) {
  auto x = network_of(a[0].text()), y = network_of(a[1].text());
  if (!x || !y) return {};
  const std::int64_t given = a.size() > 2 ? a[2].integer().value_or(32) : 32;
  const unsigned bits = std::min({x->bits, y->bits,
                                  static_cast<unsigned>(given < 0    ? 0
                                                        : given > 32 ? 32
                                                                     : given)});
  x->bits = bits;
  y->bits = 32;
  return x->contains(*y);
}

Value parse_ipv4(Run&, Arguments a) {
  const auto network = network_of(a[0].text());
  if (!network) return {};
  const std::uint32_t mask = network->bits == 0 ? 0 : ~std::uint32_t{0} << (32 - network->bits);
  return std::int64_t{network->address & mask};
}

Value ipv4_compare(Run& run, Arguments a) {
  const Value x = parse_ipv4(run, a.subspan(0, 1)), y = parse_ipv4(run, a.subspan(1, 1));
  const auto order = compare(x, y);
  return order ? Value(std::int64_t{*order}) : Value();
}

constexpr Function kNetworkFunctions[] = {
    {"ipv4_is_private", "s", 'b', is_private},
    {"ipv4_is_in_range", "ss", 'b', is_in_range},
    {"ipv4_is_in_any_range", "sa*", 'b', is_in_any_range},
    {"ipv4_is_match", "ss?l", 'b', is_match},
    {"ipv4_compare", "ss", 'l', ipv4_compare},
    {"parse_ipv4", "s", 'l', parse_ipv4},
};

}  // namespace

std::span<const Function> network_functions() {
  return kNetworkFunctions;
}

}  // namespace flow::kql
