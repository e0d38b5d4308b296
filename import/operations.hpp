// The operations of a document, Swagger 2 and OpenAPI 3 alike, to declarations of ours.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "import/address.hpp"
#include "import/declaration.hpp"
#include "import/names.hpp"
#include "import/references.hpp"
#include "import/types.hpp"

namespace flow::importer {

enum class Translated : std::uint8_t { Fully, Partly, Not };
struct TranslatedOperation {
  std::string name;  // ours; empty when it was not translated
  std::string method, path, pointer;
  Translated how = Translated::Fully;
};

class Operations {
 public:
  Operations(const Place& root, const ChosenAuth& auth, References& references, Types& types,
             Findings& findings)
      : root_(root), auth_(auth), references_(references), types_(types), findings_(findings) {}

  // `effects`: by our name of an operation, `read`, `act` or `notify` in place of what its method says.
  void translate(const std::map<std::string, std::string>& effects);

  std::vector<DeclaredOperation> declared;
  std::vector<TranslatedOperation> told;  // every one of the document, in its order

 private:
  void translate_path(const Place& item, const std::string& path,
                      const std::map<std::string, std::string>& effects);

  const Place& root_;
  const ChosenAuth& auth_;
  References& references_;
  Types& types_;
  Findings& findings_;
  Names names_{Names::Reserved::Allowed};
};

}  // namespace flow::importer
