-- For wrk: each request publishes another entry whose content is an event, 1 KiB in all.
local head = '<entry xmlns="http://www.w3.org/2005/Atom"><title>Bench</title><content type="application/xml"><event xmlns="urn:courant:bench"'
local tail = '</event></content></entry>'
local bodies = {}
math.randomseed(os.time())
for i = 1, 64 do
  local text = head .. ' tenant="' .. math.random(100000) .. '" region="' .. ({'NORTH', 'SOUTH', 'EAST'})[i % 3 + 1] .. '">'
  local n = 0
  while #text + 60 + #tail < 1024 do
    n = n + 1
    text = text .. '<usage at="2026-11-27T03:' .. 10 + n .. ':00Z" bytes="' .. math.random(1000000, 9999999) .. '"/>'
  end
  bodies[i] = text .. tail
end
dofile('tests/bench/in_turn.lua')(bodies)
