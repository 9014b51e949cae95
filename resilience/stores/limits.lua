-- Counts requests against quotas, in one step for all that wait. `resilience/limiter.py` says how; this is the same.
--
-- KEYS: buckets, each once.
-- ARGV[1]: meters, 26 bytes each: letter, is it enforced, limit, capacity, period in µs.
-- ARGV[2]: requests: how many charges, then for each the numbers of its meter and of its bucket; 16 bits each.
-- ARGV[3]: the time in µs, for tests; otherwise the server's clock decides.
-- Answer: for each charge what remains, µs until all is there again, µs until a retry (0: it is allowed).

local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local SECOND, DAY = 1000000, 86400000000
local TEST_LEASE_MS = 60000

local function clock()
  local time = redis.call('TIME')
  return time[1] * SECOND + time[2]
end

local given = tonumber(ARGV[3])
local now = given or clock()

-- The end of the month: days counted from 1 March of a year 0, when leap days come last.
local function month_end()
  local day = floor(now / DAY) + 719468
  local era = floor(day / 146097)
  local of_era = day - era * 146097
  local year = floor((of_era - floor(of_era / 1460) + floor(of_era / 36524) - floor(of_era / 146096)) / 365)
  local new_year = 365 * year + floor(year / 4) - floor(year / 100)
  local month = floor((5 * (of_era - new_year) + 2) / 153)
  local next_first = new_year + floor((153 * (month + 1) + 2) / 5)
  if month == 11 then
    year = year + 1
    next_first = 365 * year + floor(year / 4) - floor(year / 100) + floor(year / 400)
  end
  return (next_first + era * 146097 - 719468) * DAY
end

local function window_end(meter)
  if meter.letter == 'm' then return month_end() end
  local length = meter.letter == 'd' and DAY or meter.period
  return now - now % length + length
end

-- Each algorithm: state, meter, whether to consume -> new state or nil (as it was), remaining, reset, retry.

local function moved(state, last, ...)
  if state and last < state[2] then return { ... } end
end

local function token_bucket(state, meter, consumes)
  local limit, size, out = meter.limit, meter.capacity * meter.period, 0
  if state and state[2] > now then
    out = max((state[2] - now) * limit - state[1], 0)
    if out > 2 * size then out = size end
  end
  local left, reset = size - out - meter.period, ceil(out / limit)
  if left < 0 or not consumes then
    local anchor = moved(state, now + reset, reset * limit - out, now + reset, 0)
    return anchor, max(floor((size - out) / meter.period), 0), reset, max(ceil(-left / limit), 0)
  end
  reset = ceil((size - left) / limit)
  return { reset * limit - (size - left), now + reset, 0 }, floor(left / meter.period), reset, 0
end

local function fixed_window(state, meter, consumes)
  local last, count = window_end(meter), 0
  if state and state[2] >= last then
    count = state[1]
    if state[2] - last <= meter.period then last = state[2] end
  end
  local ahead = last - now
  if count >= meter.limit then return moved(state, last, count, last, 0), 0, ahead, ahead end
  if not consumes then return nil, meter.limit - count, count > 0 and ahead or 0, 0 end
  return { count + 1, last, 0 }, meter.limit - count - 1, ahead, 0
end

local function sliding_window(state, meter, consumes)
  local period, limit = meter.period, meter.limit
  local last, count, before = now - now % period + period, 0, 0
  if state and state[2] > now then
    local passed = last + period - state[2]
    if passed > 0 then
      before = state[1]
    else
      count, before = state[1], state[3]
      if passed >= -period then last = state[2] - period end
    end
  end
  local ahead, room = last - now, limit - count - 1
  local left = room * period - before * min(ahead, period)
  if left >= 0 and consumes then
    return { count + 1, last + period, before }, floor(left / period), ahead + period, 0
  end
  local remaining = max(floor(left / period) + 1, 0)
  local reset = count > 0 and ahead + period or before > 0 and ahead or 0
  if left >= 0 then return nil, remaining, reset, 0 end
  local wait = room >= 0 and ahead - floor(room * period / before)
  wait = wait or ahead + period - floor((limit - 1) * period / count)
  return moved(state, last + period, count, last + period, before), remaining, reset, wait
end

local KINDS = { t = token_bucket, f = fixed_window, d = fixed_window, m = fixed_window, s = sliding_window }

local meters = {}
for at = 1, #ARGV[1], 26 do
  local letter, enforced, limit, capacity, period = struct.unpack('<c1Bddd', ARGV[1], at)
  meters[#meters + 1] = {
    letter = letter, count = KINDS[letter], enforced = enforced == 1,
    limit = limit, capacity = capacity, period = period,
  }
end

local states, changed = redis.call('MGET', unpack(KEYS)), {}
for number, packed in ipairs(states) do
  states[number] = packed and #packed == 24 and { struct.unpack('<ddd', packed) }
end

local answer, size, at = {}, 0, 1
local requests, length = ARGV[2], #ARGV[2]
while at < length do
  local charges, allowed, first = struct.unpack('<H', requests, at), true, size
  at = at + 2
  local asked, after = {}, {}
  for number = 1, charges do
    local meter_at, bucket = struct.unpack('<HH', requests, at)
    at = at + 4
    local meter = meters[meter_at + 1]
    local state, remaining, reset, retry = meter.count(states[bucket + 1], meter, true)
    if retry > 0 and meter.enforced then allowed = false end
    asked[number], after[number] = { meter, bucket + 1 }, state or false
    answer[size + 1], answer[size + 2], answer[size + 3] = remaining, reset, retry
    size = size + 3
  end
  for number, charge in ipairs(asked) do
    local meter, bucket, place = charge[1], charge[2], first + 3 * number
    if after[number] and (allowed or answer[place] > 0) then
      states[bucket], changed[bucket] = after[number], true
    elseif answer[place] == 0 then
      local _, remaining, reset = meter.count(states[bucket], meter, false)
      answer[place - 2], answer[place - 1] = remaining, reset
    end
  end
end

for bucket in pairs(changed) do
  local state = states[bucket]
  local lease = max(ceil((state[2] - now) / 1000), 1) + (given and TEST_LEASE_MS or 0)
  redis.call('SET', KEYS[bucket], struct.pack('<ddd', state[1], state[2], state[3]), 'PX', lease)
end
return answer
