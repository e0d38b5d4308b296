// The library of live response: files put there by multipart forms.
#include <openssl/evp.h>

#include <array>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/multipart.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) return {};
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += "0123456789abcdef"[digest[i] >> 4];
    text += "0123456789abcdef"[digest[i] & 15];
  }
  return text;
}

const FormPart* part_named(const std::vector<FormPart>& parts, std::string_view name) {
  for (const FormPart& part : parts)
    if (equals_ignoring_case(part.name, name)) return &part;
  return nullptr;
}

std::string text_of(const std::vector<FormPart>& parts, std::string_view name) {
  const FormPart* part = part_named(parts, name);
  return part != nullptr ? part->content : "";
}

// The file of the form, or what is wrong with it.
Result<const FormPart*> checked_file(const std::vector<FormPart>& parts) {
  const FormPart* file = part_named(parts, "file");
  if (file == nullptr) return error("The form has no part 'file'.");
  if (file->file_name.empty() || file->file_name.size() > 200 ||
      file->file_name.find_first_of("/\\") != std::string::npos)
    return error("The part 'file' must have a file name without folders.");
  if (file->content.size() > kMostLibraryBytes) return error("The file is larger than 20 MB.");
  for (const char* name : {"HasParameters", "OverrideIfExists"}) {
    const std::string value = lower_ascii(text_of(parts, name));
    if (!value.empty() && value != "true" && value != "false")
      return error(std::string("'") + name + "' must be true or false.");
  }
  return file;
}

bool is_true(const std::vector<FormPart>& parts, std::string_view name) {
  return lower_ascii(text_of(parts, name)) == "true";
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

// Puts the file there, or in the place of the one with its name.
const Json& store(State& state, const Json& given) {
  LibraryFile& file = state.defender.library[lower_ascii(given["fileName"].text())];
  const std::string now = format_ticks(state.now_us());
  const Json created = file.json.is_object() ? file.json["creationTime"] : Json(now);
  file.content = std::string(given["content"].text());
  file.json = Json::object({{"fileName", given["fileName"]},
                            {"sha256", sha256_hex(file.content)},
                            {"description", given["description"]},
                            {"creationTime", created},
                            {"lastUpdatedTime", now},
                            {"createdBy", state.options.client_id},
                            {"hasParameters", given["hasParameters"].boolean()},
                            {"parametersDescription", given["parametersDescription"]}});
  return file.json;
}

}  // namespace

HttpAnswer list_library(State& state, const Call& call) {
  std::vector<Json> files;
  for (const auto& [name, file] : state.defender.library) files.push_back(file.json);
  return plain_list(state, call, "LibraryFiles", files);
}

HttpAnswer upload_library_file(State& state, const Call& call) {
  const auto parts = read_multipart(call.question.header("Content-Type"), call.question.body);
  if (!parts) return bad_request(state, "BadRequest", parts.error().message);
  const auto file = checked_file(*parts);
  if (!file) return bad_request(state, "BadRequest", file.error().message);
  const std::string key = lower_ascii((*file)->file_name);
  const auto known = state.defender.library.find(key);
  if (known != state.defender.library.end() && !is_true(*parts, "OverrideIfExists"))
    return bad_request(state, "BadRequest",
                       "The library has a file '" + (*file)->file_name + "' already; set OverrideIfExists.");
  if (known == state.defender.library.end() && state.defender.library.size() >= kMostLibraryFiles)
    return bad_request(state, "BadRequest", "The library is full (1000 files).");
  const std::string parameters = text_of(*parts, "ParametersDescription");
  const Json& stored =
      store(state, Json::object({{"fileName", (*file)->file_name},
                                 {"content", (*file)->content},
                                 {"description", text_or_null(text_of(*parts, "Description"))},
                                 {"hasParameters", is_true(*parts, "HasParameters") || !parameters.empty()},
                                 {"parametersDescription", text_or_null(parameters)}}));
  return entity_answer(200, "LibraryFiles", stored);
}

Status add_library_file(State& state, const Json& given) {
  if (!given.is_object())
    return error(std::string("a file must be an object, not ") + std::string(given.kind()));
  FLOW_TRY_STATUS(check_keys(
      given, {"fileName", "content", "description", "hasParameters", "parametersDescription"}, "a file"));
  if (given["fileName"].text().empty() || !given["content"].is_text())
    return error("a file needs `fileName` and `content`");
  if (state.defender.library.size() >= kMostLibraryFiles) return error("the library is full (1000 files)");
  store(state, given);
  return {};
}

HttpAnswer delete_library_file(State& state, const Call& call) {
  if (state.defender.library.erase(lower_ascii(call.id)) == 0)
    return not_found(state, "Library file", call.id);
  return no_content();
}

}  // namespace flow::sim
