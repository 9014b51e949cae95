-- Gives buckets what was recorded of them, where it is more than what they hold: in one step, by the server's clock.
--
-- KEYS: buckets of calendar quotas. ARGV[1]: for each its count and the end of its window in µs.
-- Answer: how many took it.

local time = redis.call('TIME')
local now, taken = time[1] * 1000000 + time[2], 0
for number, bucket in ipairs(KEYS) do
  local count, last = struct.unpack('<dd', ARGV[1], 16 * number - 15)
  local packed = redis.call('GET', bucket)
  local held, till = 0, 0
  if packed and #packed == 24 then held, till = struct.unpack('<dd', packed) end
  if last > now and (till < last or (till == last and held < count)) then
    redis.call('SET', bucket, struct.pack('<ddd', count, last, 0), 'PX', math.max(math.ceil((last - now) / 1000), 1))
    taken = taken + 1
  end
end
return taken
