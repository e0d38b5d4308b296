// The exports: pages of rows with a link to the next one, and links to files.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/exports.hpp"
#include "apps/sim/machine_actions.hpp"
#include "apps/sim/ticks.hpp"
#include "base/calendar.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kUsualPage = 50'000, kLargestPage = 200'000, kLargestTop = 10'000'000;

constexpr Export kExports[] = {
    {"SecureConfigurationsAssessmentByMachine", "SecureConfigurationsAssessmentExport",
     "Collection(microsoft.windowsDefenderATP.api.AssetConfiguration)", 6, configuration_rows},
    {"SoftwareInventoryByMachine", "SoftwareInventoryExport",
     "Collection(microsoft.windowsDefenderATP.api.AssetSoftware)", 6, software_rows},
    {"SoftwareVulnerabilitiesByMachine", "SoftwareVulnerabilitiesExport",
     "Collection(microsoft.windowsDefenderATP.api.AssetVulnerability)", 6, weakness_rows},
    {"SoftwareInventoryNoProductCodeByMachine", "SoftwareInventoryNonCpeExport",
     "Collection(microsoft.windowsDefenderATP.api.AssetNonCpeSoftware)", 6, other_software_rows},
    {"BrowserExtensionsInventoryByMachine", "browserextensionsinventoryExport",
     "Collection(microsoft.windowsDefenderATP.api.AssetBrowserExtension)", 6, extension_rows},
    {"certificateAssessmentByMachine", "certificateAssessmentExport",
     "Collection(microsoft.windowsDefenderATP.api.AssetCertificateInfo)", 24, certificate_rows},
    {"HardwareFirmwareInventoryByMachine", "HardwareFirmwareInventoryExport",
     "Collection(microsoft.windowsDefenderATP.api.AssetHardwareFirmware)", 6, hardware_rows},
    {"baselineComplianceAssessmentByMachine", "BaselineComplianceAssessmentExport",
     "Collection(microsoft.windowsDefenderATP.api.AssetBaselineAssessment)", 6, baseline_rows},
    {"", "InfoGatheringExport", "", 24, antivirus_rows},
};

// A number of the query within its bounds; nothing with `refusal` set when it is wrong.
std::optional<std::size_t> query_number(State& state, const Call& call, const char* name, std::size_t usual,
                                        std::size_t least, std::size_t most, HttpAnswer& refusal) {
  const auto text = call.target.parameter(name);
  if (!text) return usual;
  std::size_t value = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), value);
  if (read.ec == std::errc() && read.ptr == text->data() + text->size() && value >= least && value <= most)
    return value;
  refusal =
      bad_request(state, "BadRequest",
                  fmt::format("{} must be a number from {} to {}, not '{}'.", name, least, most, *text));
  return std::nullopt;
}

std::optional<HttpAnswer> unknown_option(State& state, const Call& call) {
  for (const auto& [name, value] : call.target.query)
    if (name.starts_with("$") && name != "$skiptoken" && name != "$top")
      return bad_request(state, "ODataError", "The query option '" + name + "' is not supported.");
  return std::nullopt;
}

HttpAnswer answer_rows(State& state, const Call& call, std::string_view context, std::vector<Json> rows) {
  HttpAnswer refusal;
  if (auto unknown = unknown_option(state, call)) return *unknown;
  const auto top = query_number(state, call, "$top", rows.size(), 1, kLargestTop, refusal);
  if (!top) return refusal;
  if (*top < rows.size()) rows.resize(*top);
  const auto size = query_number(state, call, "pageSize", kUsualPage, 1, kLargestPage, refusal);
  const auto first = size ? query_number(state, call, "$skiptoken", 0, 0, rows.size(), refusal) : size;
  if (!first) return refusal;
  const std::size_t last = *first + std::min(*size, rows.size() - *first);
  Json::List page(std::make_move_iterator(rows.begin() + static_cast<std::ptrdiff_t>(*first)),
                  std::make_move_iterator(rows.begin() + static_cast<std::ptrdiff_t>(last)));
  Json body = Json::object({{"@odata.context", defender_context(context)}, {"value", Json(std::move(page))}});
  if (last < rows.size()) {
    std::string link = own_url(call) + call.target.path + "?";
    for (const auto& [name, value] : call.target.query)
      if (name != "$skiptoken") link += percent_encoded(name) + "=" + percent_encoded(value) + "&";
    body.set("@odata.nextLink", link + "$skiptoken=" + std::to_string(last));
  }
  return json_answer(200, body);
}

}  // namespace

const Export* export_at(std::string_view part) {
  for (const Export& one : kExports)
    if ((!one.rows_path.empty() && equals_ignoring_case(one.rows_path, part)) ||
        equals_ignoring_case(one.files_path, part))
      return &one;
  return nullptr;
}

std::string export_lines(State& state, std::string_view files_path) {
  std::string lines;
  const Export* found = export_at(files_path);
  if (found == nullptr) return lines;
  for (const Json& row : found->rows(state)) {
    row.append_to(lines);
    lines += '\n';
  }
  return lines;
}

HttpAnswer export_list(State& state, const Call& call) {
  const Export* found = export_at(call.target.segments.back());
  return answer_rows(state, call, found->context, found->rows(state));
}

HttpAnswer export_files(State& state, const Call& call) {
  const std::string& part = call.target.segments.back();
  HttpAnswer refusal;
  if (auto unknown = unknown_option(state, call)) return *unknown;
  const Export* found = export_at(part);
  const auto most = static_cast<std::size_t>(found->most_hours);
  const auto hours = query_number(state, call, "sasValidHours", most == 24 ? 3 : 1, 1, most, refusal);
  if (!hours) return refusal;
  const Download download{"export", part, 0, state.now_us() + static_cast<std::int64_t>(*hours) * kHourUs};
  return json_answer(
      200, Json::object(
               {{"@odata.context", defender_context("microsoft.windowsDefenderATP.api.ExportFilesResponse")},
                {"exportFiles", Json::List{Json(download_link(state, call, download))}},
                {"generatedTime", format_ticks(generated_us(state))}}));
}

// A tenth of the rows changed within the last two weeks, each at its own time.
HttpAnswer export_weakness_changes(State& state, const Call& call) {
  const auto since_text = call.target.parameter("sinceTime");
  if (!since_text)
    return bad_request(state, "MissingRequiredParameter", "Required parameter 'sinceTime' is missing.");
  const auto since = parse_ticks(*since_text);
  if (!since) return bad_request(state, "BadRequest", "sinceTime must be a time as 2026-11-20T08:14:22Z.");
  if (*since / 10 < state.now_us() - 14 * kDayUs)
    return bad_request(state, "BadRequest", "sinceTime must lie within the last 14 days.");
  static constexpr const char* kStatuses[] = {"New", "Fixed", "Updated"};
  std::vector<Json> rows;
  for (Json& row : weakness_rows(state)) {
    const std::uint64_t hash = stable_hash(row["id"].text());
    const std::int64_t changed_us =
        generated_us(state) - static_cast<std::int64_t>(hash / 7 % 56) * 6 * kHourUs;
    if (hash % 10 != 0 || changed_us < *since / 10) continue;
    row.set("isOnboarded", true).set("status", kStatuses[hash / 11 % 3]);
    rows.push_back(row.set("eventTimestamp", export_time(changed_us)));
  }
  return answer_rows(state, call, "Collection(microsoft.windowsDefenderATP.api.DeltaAssetVulnerability)",
                     std::move(rows));
}

}  // namespace flow::sim
