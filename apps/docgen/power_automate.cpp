// power-automate.md: for each action and trigger of Power Automate's connector, and for each call of the API,
// what makes it here, and what shows that.
#include <fmt/format.h>

#include <algorithm>

#include "apps/docgen/defender_api.hpp"
#include "apps/docgen/pages.hpp"

namespace flow {
namespace {

std::string link_of(const Operation& operation) {
  return fmt::format("[{0}](../../tests/conformance/{1}/{0}.exchange)", operation.name, operation.connector);
}

std::string joined(const std::vector<const Operation*>& operations, std::string (*text)(const Operation&)) {
  std::string out;
  for (const Operation* operation : operations) out += (out.empty() ? "" : ", ") + text(*operation);
  return out;
}

std::string name_of(const Operation& operation) {
  return fmt::format("`{}`", operation.full_name());
}

// What the reference's triggers are here: they poll, since the API pushes to the connector alone.
struct Polled {
  const char* key;
  const char* trigger;
};
constexpr Polled kPolled[] = {{"trigger.newAlert", "alert.new"},
                              {"trigger.newRemediationActivity", "remediation.new"}};

std::string trigger_row(const ApiCall& call) {
  const auto found = std::ranges::find(kPolled, call.key, &Polled::key);
  if (found == std::end(kPolled)) return fmt::format("| {} | nothing | |\n", cell(call.title));
  return fmt::format(
      "| {} | `on {}`, which polls | [triggers](../../tests/golden/emit/triggers.flow), "
      "[polling](../../tests/unit/runtime/polling_test.cpp) |\n",
      cell(call.title), found->trigger);
}

}  // namespace

std::string power_automate_page(const Library& library) {
  std::string out =
      "# Power Automate's connector, and the API, in Flow\n\n"
      "Made by `flow-docgen docs/generated`; a test compares. Do not edit: change the source named below.\n"
      "Sources: `apps/docgen/defender_api.def`, what the vendor's reference says, and `stdlib/*/*.flow`. "
      "Each test is an\n"
      "exchange: the request byte for byte, an answer, and what a flow gets. What an operation takes and "
      "needs is in\n"
      "[operations](operations.md).\n\n"
      "## Actions and triggers of the connector `wdatp`\n\n"
      "| In Power Automate | In Flow | Shown by |\n|---|---|---|\n";
  for (const ApiCall& call : defender_api()) {
    if (call.title.empty()) continue;
    if (connector_of(call).empty()) {
      out += trigger_row(call);
      continue;
    }
    const auto operations = declared(library, call);
    out += fmt::format("| {} | {} | {} |\n", cell(call.title), joined(operations, name_of),
                       joined(operations, link_of));
  }
  out += "\n## Calls of the API\n\n| Call | In Flow | Shown by |\n|---|---|---|\n";
  for (const ApiCall& call : defender_api()) {
    if (connector_of(call).empty()) continue;
    const auto operations = declared(library, call);
    out += fmt::format("| `{} {}` | {} | {} |\n", call.method, cell(call.path), joined(operations, name_of),
                       joined(operations, link_of));
  }
  return out;
}

}  // namespace flow
