-- One service's breaker, shared by all workers. Time is the server's; the worker's view comes as ages.
--
-- KEYS: what is measured (hash), counts of the closed period (hash), trials of the half-open period (sorted set).
-- ARGV[1]: JSON, see Ask in breakers.py. Answers JSON, see Reply.
--
-- Whoever knows the later period is right: a worker that went on alone, or a server that others told. So a change
-- that a worker made by itself is taken over once, and told to everybody; of several at the same time the first wins.

local ask = cjson.decode(ARGV[1])
local KEPT_MS = 7 * 24 * 3600 * 1000
local BUCKETS = 20

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'state', 'period', 'since', 'cause', 'successes')
local state, period, cause = known[1] or 'closed', tonumber(known[2] or '0'), known[4] or ask.restored
local since = math.min(tonumber(known[3] or now), now)
local successes = tonumber(known[5] or '0')
local requests, failures = 0, 0
local granted = false
local changes = {}

local function tell(news)
  news.service, news.worker = ask.service, ask.worker
  redis.call('PUBLISH', ask.channel, cjson.encode(news))
end

local function enter(to, number, age_ms, why)
  local change = {
    before = state, state = to, period = number, age_ms = age_ms, cause = why,
    requests = requests, failures = failures,
  }
  state, period, since, cause, successes = to, number, now - age_ms, why, 0
  redis.call('HSET', KEYS[1], 'state', state, 'period', string.format('%d', period),
    'since', string.format('%d', since), 'cause', cause, 'successes', '0')
  redis.call('PEXPIRE', KEYS[1], KEPT_MS)
  redis.call('DEL', KEYS[2], KEYS[3])
  changes[#changes + 1] = change
  tell(change)
end

local function add(counts)
  local width = math.max(1, ask.window_ms / BUCKETS)
  local any = false
  for _, count in ipairs(counts) do
    local slot = string.format('%d', math.floor(math.floor((now - count[1]) / width) * width))
    redis.call('HINCRBY', KEYS[2], 'r' .. slot, count[2])
    redis.call('HINCRBY', KEYS[2], 'f' .. slot, count[3])
    any = any or count[3] > 0
  end
  redis.call('HSET', KEYS[2], 'b' .. ask.worker, ask.batch)
  redis.call('PEXPIRE', KEYS[2], math.ceil(ask.window_ms) + 1000)
  return any
end

local function total()
  local fields = redis.call('HGETALL', KEYS[2])
  for index = 1, #fields, 2 do
    local name, number = fields[index], tonumber(fields[index + 1])
    local kind, slot = string.sub(name, 1, 1), tonumber(string.sub(name, 2))
    if kind ~= 'b' and slot <= now - ask.window_ms then
      redis.call('HDEL', KEYS[2], name)
    elseif kind == 'r' then
      requests = requests + number
    elseif kind == 'f' then
      failures = failures + number
    end
  end
end

local function count()
  local is_new = #ask.counts > 0 and redis.call('HGET', KEYS[2], 'b' .. ask.worker) ~= tostring(ask.batch)
  local has_failures = is_new and add(ask.counts)
  total()
  if not is_new or failures < ask.failure_threshold then
    return
  end
  if requests >= ask.min_throughput then
    enter('open', period + 1, 0, ask.too_many)
  elseif has_failures then
    tell({ wanted = period }) -- workers that saw only successes have not said how many
  end
end

local function finish_trials()
  for _, done in ipairs(ask.done) do
    local ends = tonumber(redis.call('ZSCORE', KEYS[3], done[1]) or '0')
    redis.call('ZREM', KEYS[3], done[1])
    if done[2] and ends > now then
      successes = redis.call('HINCRBY', KEYS[1], 'successes', 1)
    end
  end
  if successes >= ask.half_open_requests then
    enter('closed', period + 1, 0, ask.enough)
  end
end

local function lease()
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
  if redis.call('ZCARD', KEYS[3]) < ask.half_open_requests then
    redis.call('ZADD', KEYS[3], string.format('%d', now + math.ceil(ask.half_open_timeout_ms)), ask.lease)
    redis.call('PEXPIRE', KEYS[3], math.ceil(ask.half_open_timeout_ms) + 1000)
    granted = true
  end
end

if ask.period > period then
  enter(ask.state, ask.period, ask.age_ms, ask.cause)
end
if ask.period == period and state == 'closed' then
  count()
elseif ask.period == period and state == 'half_open' then
  finish_trials()
  if ask.lease ~= '' and state == 'half_open' then
    lease()
  end
end

return cjson.encode({
  state = state, period = period, age_ms = now - since, cause = cause, granted = granted,
  requests = requests, failures = failures, changes = #changes > 0 and changes or nil,
})
