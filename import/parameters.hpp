// The parameters of one operation: what a caller gives, wherever in the request it goes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "import/declaration.hpp"
#include "import/names.hpp"
#include "import/types.hpp"

namespace flow::importer {

struct WantedParameter {
  std::string wire;
  Place at;      // what documents it
  Place schema;  // what it is
  bool is_required = false;
  bool may_be_secret = false;  // it goes where secrets can go
  bool is_bytes = false;       // a file, whatever the schema says
  std::string type_name;       // of a record or an enum that stands in place
};

// How it stands in the request.
struct PlacedParameter {
  std::string expression;  // the parameter's name, or a constant
  SchemaType type;
  bool is_constant = false;
};

class Parameters {
 public:
  Parameters(Types& types, Findings& findings) : types_(types), findings_(findings) {}

  PlacedParameter add(const WantedParameter& wanted);
  // A parameter that the document does not declare.
  std::string add_plain(std::string_view wire, std::string type, std::string default_value, std::string doc);

  std::size_t size() const { return required_.size() + optional_.size(); }
  // Those that have to be given first.
  std::vector<DeclaredParameter> all() const;

 private:
  Types& types_;
  Findings& findings_;
  Names names_;
  std::vector<DeclaredParameter> required_, optional_;
};

}  // namespace flow::importer
