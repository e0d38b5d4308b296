// Read once for all tests of this folder: tests/CMakeLists.txt.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/vm/assembler.hpp"
#include "tests/unit/vm/running.hpp"
