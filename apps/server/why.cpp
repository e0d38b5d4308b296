// flow why ALERT, flow runs why RUN: what explainer.hpp finds, for people and as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/explainer.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/setup.hpp"
#include "apps/server/store_place.hpp"
#include "base/text.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

std::string json_of(const Told& told) {
  const auto optional_text = [](const std::string& text) {
    return text.empty() ? "null" : json_quoted(text);
  };
  std::string more, values;
  for (const std::string& each : told.more) more += (more.empty() ? "" : ",") + json_quoted(each);
  if (told.why)
    for (const NamedValue& each : told.why->values)
      values += fmt::format("{}{}:{}", values.empty() ? "" : ",", json_quoted(each.name),
                            is_json(each.value) ? each.value : json_quoted(each.value));
  return fmt::format(
      R"({{"tenant":{},"flow":{},"trigger":{},"verdict":{},"text":{},"run":{},"isSeen":{},"part":{},"line":{},"values":{{{}}},"notes":[{}]}})",
      json_quoted(told.tenant), json_quoted(told.flow), json_quoted(told.trigger), json_quoted(told.verdict),
      json_quoted(told.text), optional_text(told.run),
      told.is_seen ? (*told.is_seen ? "true" : "false") : "null",
      optional_text(told.why ? told.why->part : ""),
      told.why && told.why->line > 0 ? std::to_string(told.why->line) : "null", values, more);
}

void print(const Told& told, bool has_tenants) {
  std::string text =
      fmt::format("{}{} {}\n", printable(told.flow),
                  has_tenants ? fmt::format(" of {}", printable(told.tenant)) : "", printable(told.text));
  const bool has_part = told.why && told.why->verdict != Why::Verdict::Holds && told.why->line > 0;
  if (has_part && told.why->part.empty())
    text += fmt::format("  line {}\n", told.why->line);
  else if (has_part)
    text += fmt::format("  line {}: {}\n", told.why->line, one_line(told.why->part));
  if (has_part)
    for (const NamedValue& each : told.why->values)
      text += fmt::format("    {} is {}\n", one_line(each.name), printable(each.value));
  for (const std::string& each : told.more) text += fmt::format("  {}\n", printable(each));
  say(stdout, text);
}

Attempt<int> explain(const WhyOptions& options) {
  if (options.run.empty() && options.alert.empty()) return failure("name the alert by its ID", kUsage);
  FLOW_TRY(const StorePlace place, store_place(options.config, options.store));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(place.store));
  FLOW_TRY(const std::vector<Told> all,
           options.run.empty() ? why_alert(*store, place, options) : why_run(*store, place, options));
  if (options.json) {
    std::string rows;
    for (const Told& each : all) rows += (rows.empty() ? "" : ",\n") + json_of(each);
    say(stdout, "[" + rows + "]\n");
    return static_cast<int>(kSuccess);
  }
  const bool has_tenants =
      std::ranges::any_of(all, [&](const Told& each) { return each.tenant != all.front().tenant; });
  for (const Told& each : all) print(each, has_tenants);
  return static_cast<int>(kSuccess);
}

}  // namespace

int run_why(const WhyOptions& options) {
  const Attempt<int> explained = explain(options);
  if (!explained) complain(explained.error().message);
  leave(explained ? *explained : explained.error().code);
}

}  // namespace flow
