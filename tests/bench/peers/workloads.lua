-- The workloads of tests/bench/workloads in Lua: for Lua 5.4 and LuaJIT.
--   lua5.4 workloads.lua NAME SIZE    prints the milliseconds of processor time and the result
local workloads = {}

function workloads.empty(size)
  return size
end

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end
workloads.fib = fib

function workloads.loop(size)
  local s = 0
  for i = 0, size - 1 do
    s = (s + i * 3) % 1000003
  end
  return s
end

-- Lua's own way: `..` in a loop would copy the text each time.
function workloads.string(size)
  local pieces = {}
  for i = 0, size - 1 do
    pieces[#pieces + 1] = "item " .. i .. ";"
  end
  return #table.concat(pieces)
end

local function map(list, change)
  local result = {}
  for i = 1, #list do
    result[i] = change(list[i])
  end
  return result
end

local function filter(list, is_wanted)
  local result = {}
  for i = 1, #list do
    if is_wanted(list[i]) then result[#result + 1] = list[i] end
  end
  return result
end

function workloads.list(size)
  local a = {}
  for i = 0, size - 1 do
    a[#a + 1] = i
  end
  local b = filter(map(a, function(x) return x * 2 + 1 end), function(x) return x % 3 == 0 end)
  local sum = 0
  for i = 1, #b do
    sum = sum + b[i]
  end
  return sum
end

function workloads.sort(size)
  local a, x = {}, 42
  for i = 1, size do
    x = x * 16807 % 2147483647
    a[i] = x
  end
  table.sort(a)
  return a[1] + a[math.floor(size / 2) + 1] + a[size]
end

function workloads.map(size)
  local m = {}
  for i = 0, size - 1 do
    m["k" .. i * 7919 % 200000] = i
  end
  local s = 0
  for i = 0, size - 1 do
    s = s + (m["k" .. i % 200000] or 0)
  end
  return s
end

local run, size = workloads[arg[1]], tonumber(arg[2])
local start = os.clock()
local result = run(size)
print(string.format("%.3f %d", (os.clock() - start) * 1000, result))
