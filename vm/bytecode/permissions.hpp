// The least permissions that suffice. Each demand names permissions any one of which meets it, the least
// privileged first.
#pragma once

#include <string>
#include <vector>

namespace flow {

// The fewest permissions that meet all demands; of equally few, those that stand nearest to the front of
// their demands. Sorted, and the same whatever the order of the demands. Demands that name nothing are met.
std::vector<std::string> least_permissions(std::vector<std::vector<std::string>> demands);

}  // namespace flow
