-- For wrk: each request publishes another entry of 1 KiB.
local head = '<entry xmlns="http://www.w3.org/2005/Atom"><title>Bench</title><content>'
local tail = '</content></entry>'
local digits = '0123456789abcdef'
local bodies = {}
math.randomseed(os.time())
for i = 1, 64 do
  local text = {}
  for j = 1, 1024 - #head - #tail do
    local k = math.random(16)
    text[j] = digits:sub(k, k)
  end
  bodies[i] = head .. table.concat(text) .. tail
end
dofile('tests/bench/in_turn.lua')(bodies)
