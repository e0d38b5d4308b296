// Rows of cells in columns that line up, for a terminal.
#pragma once

#include <string>
#include <vector>

namespace flow::bench {

// The first row is the heading. The first column is set to the left, the others to the right.
std::string lay_out(const std::vector<std::vector<std::string>>& rows);

// With so many digits after the point.
std::string number(double value, int digits);

}  // namespace flow::bench
