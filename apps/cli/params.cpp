#include "apps/cli/params.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "vm/interp/arguments.hpp"
#include "vm/interp/settings.hpp"

namespace flow {

Attempt<GivenParams> GivenParams::read(const std::vector<std::string>& given) {
  GivenParams params;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return failure(fmt::format("`--param {}`: write `--param name=value`", text), kUsage);
    if (!params.written_.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
      return failure(fmt::format("`--param {}` is given twice", text.substr(0, equals)), kUsage);
  }
  return params;
}

Attempt<std::map<std::string, std::string>> GivenParams::of(const Module& module) {
  std::map<std::string, std::string> values;
  for (const Setting& setting : module.settings) {
    known_.insert(setting.name);
    const auto written = written_.find(setting.name);
    if (written == written_.end()) continue;
    taken_.insert(setting.name);
    const bool is_json = !is_text_in_json(module.types, setting.type) && is_json_text(written->second);
    const std::string json = is_json ? written->second : json_quoted(written->second);
    if (const Status fits = check_setting(module, setting, json); !fits)
      return failure(fmt::format("`--param {}`: {}", setting.name, fits.error().message), kUsage);
    values.emplace(setting.name, json);
  }
  return values;
}

Attempt<void> GivenParams::check_all_known() const {
  for (const auto& [name, value] : written_) {
    if (taken_.contains(name)) continue;
    const std::vector<std::string> known(known_.begin(), known_.end());
    const auto near = nearest_name(name, known);
    return failure(fmt::format("`--param {}`: there is no such parameter{}", name,
                               near            ? fmt::format("; did you mean `{}`?", *near)
                               : known.empty() ? std::string("; none is declared")
                                               : fmt::format("; declared are {}", fmt::join(known, ", "))),
                   kUsage);
  }
  return {};
}

}  // namespace flow
