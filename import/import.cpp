#include "import/import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "base/text.hpp"
#include "compiler/format/format.hpp"
#include "compiler/parse/parse.hpp"
#include "grammar/words.hpp"
#include "import/address.hpp"
#include "import/prose.hpp"
#include "import/read.hpp"
#include "import/types.hpp"

namespace flow::importer {
namespace {

constexpr int kMostRounds = 4;  // of leaving out operations that the compiler refuses

Status check_kind(const Place& root) {
  if (!root.is_object()) return error("it is no description of an API: it is no object");
  const std::string version(root["openapi"].scalar().empty() ? root["swagger"].scalar()
                                                             : root["openapi"].scalar());
  if (version.empty() && !root["paths"].is_object())
    return error("it is no description of an API: it has neither `swagger`, `openapi` nor `paths`");
  if (!version.empty() && !version.starts_with("2") && !version.starts_with("3."))
    return error(
        fmt::format("version `{}` of the format is not known: 2.0, 3.0 and 3.1 are", printable(version)));
  if (!root["paths"].is_object() && !root["webhooks"].is_object() && !root["x-ms-paths"].is_object())
    return error("it describes no operations: `paths` is missing");
  return {};
}

bool is_taken(const Library& library, std::string_view name) {
  return std::ranges::find(library.connectors, name, &Connector::name) != library.connectors.end();
}

// `jira_connector_preview` is jira.
std::string without_fillers(std::string name) {
  constexpr std::string_view kFillers[] = {"_connector", "_preview", "_independent_publisher", "_custom",
                                           "_api"};
  for (bool is_shorter = true; is_shorter;) {
    is_shorter = false;
    for (const std::string_view filler : kFillers)
      if (name.size() > filler.size() && name.ends_with(filler))
        name.resize(name.size() - filler.size()), is_shorter = true;
  }
  return name;
}

Result<std::string> connector_name(const Place& root, const ImportOptions& options, const Library& library) {
  if (!options.name.empty()) {
    if (!is_word(options.name) || grammar::is_keyword(options.name))
      return error(fmt::format("`{}` cannot be the name of a connector", printable(options.name)));
    if (is_taken(library, options.name))
      return error(fmt::format("there is a connector `{}` already: choose another --name", options.name));
    return options.name;
  }
  Names names;
  std::string name = names.take(without_fillers(snake_case(root["info"]["title"].scalar())), "api");
  while (is_taken(library, name)) name += "_api";
  return name;
}

// Types that the library has already, as an `Alert` of a connector `alert`.
bool clashes(const Library& library, const std::string& prefix) {
  return std::ranges::any_of(library.type_names,
                             [&](const auto& type) { return type.first.starts_with(prefix); });
}

class Importer {
 public:
  Importer(const Document& document, const ImportOptions& options, const Library& library, Findings& findings)
      : root_(Place::root_of(document)),
        options_(options),
        library_(library),
        findings_(findings),
        references_(document, findings) {}

  Result<Import> run() {
    FLOW_TRY_STATUS(check_kind(root_));
    FLOW_TRY(made_.name, connector_name(root_, options_, library_));
    std::string prefix = pascal_case(made_.name);
    if (clashes(library_, prefix)) prefix += "Api";
    made_.base = base_of(root_, findings_);
    const ChosenAuth auth = auth_of(root_, references_, findings_);
    made_.auth = auth.clause;
    Types types(std::move(prefix), references_, findings_);
    Operations operations(root_, auth, references_, types, findings_);
    operations.translate(options_.effects);
    types.finish();
    made_.enums = std::move(types.enums);
    made_.records = std::move(types.records);
    made_.operations = std::move(operations.declared);
    told_ = std::move(operations.told);
    FLOW_TRY_STATUS(check_effects());

    Import import{.connector = made_.name,
                  .title = plain_prose(root_["info"]["title"].scalar()),
                  .version = plain_prose(root_["info"]["version"].scalar())};
    FLOW_TRY(import.text, checked_text(import));
    import.records = made_.records.size();
    import.enums = made_.enums.size();
    import.operations = std::move(told_);
    import.findings = findings_.all();
    return import;
  }

 private:
  // An effect for an operation that is not there is a mistake of whoever typed it.
  Status check_effects() const {
    std::vector<std::string> known;
    for (const DeclaredOperation& operation : made_.operations) known.push_back(operation.name);
    for (const auto& [name, effect] : options_.effects) {
      if (std::ranges::find(known, name) != known.end()) continue;
      const auto near = nearest_name(name, known);
      return error(fmt::format("--effect: there is no operation `{}`{}", printable(name),
                               near ? fmt::format("; did you mean `{}`?", *near) : ""));
    }
    return {};
  }

  void describe(const Import& import) {
    std::size_t partly = 0, left_out = 0;
    for (const TranslatedOperation& operation : told_) {
      partly += operation.how == Translated::Partly ? 1 : 0;
      left_out += operation.how == Translated::Not ? 1 : 0;
    }
    made_.comments = {fmt::format("{}{}{}, imported{}.", import.title.empty() ? "An API" : import.title,
                                  import.version.empty() ? "" : " ", import.version,
                                  options_.file.empty() ? "" : " from " + printable(options_.file))};
    std::string counts = fmt::format("{} of {} operations", told_.size() - left_out, told_.size());
    if (partly > 0) counts += fmt::format(", {} of them partly", partly);
    made_.comments.push_back(counts + "; `flow connector add` lists what is left out.");
  }

  // The declaration as it passes the compiler. What it refuses, which would be a mistake of this room, is
  // left out and told, so that the rest can be used.
  Result<std::string> checked_text(const Import& import) {
    for (int round = 0;; ++round) {
      describe(import);
      const auto draft = std::make_shared<const SourceFile>("", print(made_));
      Diagnostics diagnostics;
      const Tree tree = parse(draft, 0, diagnostics);
      if (!diagnostics.has_errors()) {
        FLOW_TRY(std::string text, format(tree));
        const auto laid_out = std::make_shared<const SourceFile>("", text);
        const Tree again = parse(laid_out, 0, diagnostics);
        extend_library(library_, {&again, 1}, diagnostics);
        if (!diagnostics.has_errors()) return text;
        if (round < kMostRounds && leave_out(text, diagnostics)) continue;
      } else if (round < kMostRounds && leave_out(draft->text(), diagnostics)) {
        continue;
      }
      const Diagnostic& first = diagnostics.all().front();
      return error(fmt::format(
          "internal: the declaration has mistakes, first: {} at `{}`", first.message,
          beginning_of(draft->text().substr(std::min<std::size_t>(first.span.begin, draft->text().size())),
                       80)));
    }
  }

  // Whether every mistake was within an operation, which is then gone.
  bool leave_out(const std::string& text, const Diagnostics& diagnostics) {
    std::map<std::string, std::string> refused;
    for (const Diagnostic& diagnostic : diagnostics.all()) {
      if (row(diagnostic.code).severity != Severity::Error) continue;
      const std::string name = operation_at(text, diagnostic.span.begin);
      if (name.empty()) return false;
      refused.emplace(name, diagnostic.message);
    }
    std::erase_if(made_.operations, [&](const DeclaredOperation& one) { return refused.contains(one.name); });
    for (TranslatedOperation& one : told_) {
      const auto found = refused.find(one.name);
      if (one.name.empty() || found == refused.end()) continue;
      findings_.add(one.pointer, "it cannot be declared: " + found->second, true);
      one.how = Translated::Not;
      one.name.clear();
    }
    return !refused.empty();
  }

  // The operation whose lines this is among: by how they are indented, for a text with mistakes has no tree.
  static std::string operation_at(const std::string& text, std::size_t offset) {
    std::string name;
    for (std::size_t begin = 0; begin < text.size() && begin <= offset;) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view line = std::string_view(text).substr(begin, end - begin);
      for (const std::string_view word : {"    read ", "    act ", "    notify "})
        if (line.starts_with(word)) name = line.substr(word.size(), line.find('(') - word.size());
      for (const std::string_view word : {"    enum ", "    record "})
        if (line.starts_with(word)) name.clear();
      begin = end + 1;
    }
    return name;
  }

  Place root_;
  const ImportOptions& options_;
  const Library& library_;
  Findings& findings_;
  References references_;
  DeclaredConnector made_;
  std::vector<TranslatedOperation> told_;
};

}  // namespace

std::size_t Import::count(Translated how) const {
  return static_cast<std::size_t>(std::ranges::count(operations, how, &TranslatedOperation::how));
}

Result<Import> import_document(std::string_view bytes, const ImportOptions& options, const Library& library) {
  Findings findings;
  FLOW_TRY(const Document document, read_document(bytes, findings));
  return Importer(document, options, library, findings).run();
}

}  // namespace flow::importer
