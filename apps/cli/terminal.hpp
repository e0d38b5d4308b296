// Files and the terminal, as the commands need them.
#pragma once

#include <cstdio>
#include <string>

#include "base/diagnostic.hpp"
#include "base/result.hpp"

namespace flow {

// The whole file; `-` is standard input. Refuses folders and files over `limit` bytes.
Result<std::string> read_file(const std::string& path, std::size_t limit);
// Writes beside the file first and then moves, so that a reader never sees half of it.
Status write_file(const std::string& path, const std::string& bytes);

// Colours only for a terminal, and never when NO_COLOR is set or TERM is `dumb`.
bool wants_colours(int descriptor);

// Writes at once. A reader that went away or a full disk is no reason to end: what cannot be said is left
// unsaid.
void say(std::FILE* to, const std::string& text);
// What a command gives when it ends: `code`, when all that it printed has arrived. Else it says that the
// output could not be written, and success becomes kWorldWrong; a reader that wanted no more (EPIPE) is no
// failure.
int when_written(int code);
// Prints to standard error: `flow: error: …`.
void complain(const std::string& message);

}  // namespace flow
