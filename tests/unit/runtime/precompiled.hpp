// Read once for all tests of this folder: tests/CMakeLists.txt.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.hpp"
#include "flows.hpp"
#include "live.hpp"
