// The request of one operation: path, query, headers and body, with the parameters they are made of.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "import/address.hpp"
#include "import/declaration.hpp"
#include "import/parameters.hpp"
#include "import/references.hpp"

namespace flow::importer {

// An operation as it stands in a document.
struct DocumentOperation {
  Place root, item, at;
  std::string path, method;
};

class RequestTranslation {
 public:
  RequestTranslation(const DocumentOperation& source, const ChosenAuth& auth, References& references,
                     Types& types, Findings& findings)
      : source_(source),
        auth_(auth),
        references_(references),
        types_(types),
        findings_(findings),
        parameters_(types, findings) {}

  // Fills everything but name, effect, documentation and result. False, with a finding, when requests of this
  // kind cannot be made.
  bool translate(DeclaredOperation& into);

 private:
  struct Input {
    Place at, schema;
    std::string in, wire;
    bool is_used = false;
  };

  void collect();
  bool path(DeclaredOperation& into);
  std::string hole(std::string_view name, const std::string& part);
  std::string filled(std::string_view text, bool is_path);
  void fixed_query(std::string_view query, DeclaredOperation& into);
  bool input(Input& input, DeclaredOperation& into);
  std::string in_list(const Input& input, const PlacedParameter& placed);

  // request_body.cpp
  bool body(DeclaredOperation& into);
  void json_body(const Place& at, const Place& schema, bool is_required, DeclaredOperation& into);
  void plain_body(const Place& at, const Place& schema, const std::string& media, bool is_required,
                  DeclaredOperation& into);
  void form_fields(bool is_multipart, DeclaredOperation& into);
  void form_members(const Place& schema, bool is_multipart, DeclaredOperation& into);
  void form_entry(const WantedParameter& wanted, bool is_multipart, bool is_file, DeclaredEntries& entries);
  std::vector<std::string> consumed() const;

  const DocumentOperation& source_;
  const ChosenAuth& auth_;
  References& references_;
  Types& types_;
  Findings& findings_;
  Parameters parameters_;
  std::vector<Input> inputs_;
  std::map<std::string, std::string> holes_;  // by name in the path
  std::string type_name_;                     // of what stands in place: `GetIssue`
};

// What a content type is to us.
enum class Media : std::uint8_t { Json, Form, Multipart, Text, Binary };
Media media_of(std::string_view content_type);

}  // namespace flow::importer
