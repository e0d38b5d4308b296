// Defaults and fixed values of a document, as the language writes constants.
#pragma once

#include <optional>
#include <string>

#include "import/document.hpp"
#include "import/types.hpp"

namespace flow::importer {

// The default of a parameter of this type; nothing when the value is none of the type's, or the type has no
// constants.
std::optional<std::string> default_of(const SchemaType& type, const Place& value);

// A value that each request carries, as an expression; nothing when it is nested too deeply.
std::optional<std::string> fixed_value(const Place& value, int depth = 0);

}  // namespace flow::importer
