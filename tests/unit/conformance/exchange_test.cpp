// Every declared call of Defender, of Graph's security and of Sentinel: its request byte for byte, and what
// its answer is to a flow.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "apps/library/standard_library.hpp"
#include "stdlib/executor/executor.hpp"
#include "tests/unit/conformance/exchange.hpp"
#include "tests/unit/stdlib/fakes.hpp"
#include "vm/interp/heap.hpp"
#include "vm/interp/json_read.hpp"
#include "vm/interp/print.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;

// All that can be called, as one module holds it.
const Module& whole_library() {
  static const Module module = [] {
    const Library& library = standard_library();
    Module made;
    made.types = library.types;
    made.connectors = library.connectors;
    made.operations.assign(library.operations.begin(), library.operations.end());
    return made;
  }();
  return module;
}

// The answer as the machine reads it, and writes it again.
std::string typed_value(const std::string& json, TypeId type) {
  if (type == kNothingType) return "null";
  constexpr std::size_t kBytes = 16u << 20;
  const Module& module = whole_library();
  Heap heap(kBytes, kBytes);
  Slot value;
  if (const auto problem = read_json(json, module.types, type, "answer", heap, value))
    return "! InvalidResponse " + problem->message;
  std::string out;
  append_json(out, module.types, type, value, kBytes);
  return out;
}

std::string outcome_text(const Outcome& outcome, TypeId type) {
  if (const auto* returned = std::get_if<Returned>(&outcome)) return typed_value(returned->json, type);
  const Fault& fault = std::get<Fault>(outcome);
  std::string out =
      "! " + std::string(fault_name(fault.kind)) + (may_retry(fault.kind) ? ", may be tried again" : "");
  if (fault.retry_after_us > 0) out += " in " + std::to_string(fault.retry_after_us / 1'000'000) + " s";
  if (fault.maybe_executed) out += ", may have happened";
  return out + ": " + fault.message;
}

struct Names {
  std::string operator()(const testing::TestParamInfo<fs::path>& info) const {
    std::string name;
    for (const char c : info.param.stem().string())
      name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    return info.param.parent_path().stem().string() + "_" + name;
  }
};

class Conformance : public testing::TestWithParam<fs::path> {};

// Carries the call out against the answers of the file; the requests and the value are then what Flow made.
void carry_out(Exchange& exchange) {
  const std::size_t dot = exchange.operation.find('.');
  const auto index =
      whole_library().operation(exchange.operation.substr(0, dot), exchange.operation.substr(dot + 1));
  ASSERT_TRUE(index.has_value()) << exchange.operation;
  FakeClock clock;
  FakeTransport transport;
  transport.tokens = {token_answer("TOKEN")};
  transport.answers.assign(exchange.responses.begin(), exchange.responses.end());
  TokenSource tokens(transport, clock);
  OperationExecutor executor(transport, tokens, clock);
  executor.configure("contoso", {.tenant_id = "contoso",
                                 .client_id = "client",
                                 .client_secret = [] { return Result<std::string>("client-secret-value"); },
                                 .settings = {{"sentinel.subscription", "s1"},
                                              {"sentinel.resource_group", "soc"},
                                              {"sentinel.workspace", "w1"}},
                                 .secret = [](const std::string& name) -> Result<std::string> {
                                   return "the secret " + name;
                                 }});
  std::string value = "nothing was answered";
  executor.perform({.tenant = "contoso",
                    .module = &whole_library(),
                    .operation = *index,
                    .arguments = exchange.arguments,
                    .key = "01JB6F0000-0001/3"},
                   [&](const Outcome& outcome) {
                     value = outcome_text(outcome, whole_library().operations[*index].result);
                   });
  exchange.requests.clear();
  for (const HttpRequest& request : transport.requests) exchange.requests.push_back(request_text(request));
  exchange.value = value;
}

TEST_P(Conformance, TheExchangeIsWhatTheFileSays) {
  Exchange exchange = read_exchange(GetParam());
  carry_out(exchange);
  std::ostringstream before;
  before << std::ifstream(GetParam(), std::ios::binary).rdbuf();
  const std::string text = exchange_text(exchange);
  if (std::getenv("FLOW_UPDATE") != nullptr && text != before.str())
    std::ofstream(GetParam(), std::ios::binary) << text;
  else
    EXPECT_EQ(text, before.str());
}

INSTANTIATE_TEST_SUITE_P(Exchanges, Conformance, testing::ValuesIn(exchange_files()), Names());

TEST(ConformanceCoverage, EveryCallOfDefenderHasAnExchange) {
  std::set<std::string> shown;
  for (const fs::path& file : exchange_files()) shown.insert(read_exchange(file).operation);
  for (const Operation& operation : standard_library().operations) {
    if (operation.connector != "defender" && operation.connector != "xdr") continue;
    EXPECT_TRUE(shown.contains(operation.full_name())) << operation.full_name();
  }
}

}  // namespace
}  // namespace flow::test
