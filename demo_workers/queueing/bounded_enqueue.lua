-- Decide about a batch of jobs and write those that may come in, in one step, so that no number of producers can pass
-- the limit together.
-- KEYS: 1 queue, 2 intermediate, 3 wip, 4 rq:queues, 5 counters, 6 canceled registry, 7 the urgent jobs that wait
-- ARGV: 1 limit (-1 none), 2 place, 3 now (seconds), 4 seconds to keep a cancelled job, 5 seconds that counters live,
--       6 prefix of job keys, 7 prefix of idempotency keys, 8 seconds that those live; MessagePack:
--       9 fields and values that all the job hashes have, 10 the jobs: {run, id, urgent, key, description, timeout,
--       meta} with '' for no key and no meta; 11… their data, which MessagePack's strings cannot hold
-- Returns MessagePack, for each job {outcome, depth, id, {ids that were dropped for it}}; the depth is with it when it
-- was admitted, the id of a duplicate that of the first.
-- as records.events.Outcome has them; "errored" is a key that was used for another job
local ADMITTED, DUPLICATE, FULL, CONFLICT = 1, 2, 3, 5
local NAMES = {[ADMITTED] = 'admitted', [DUPLICATE] = 'duplicate', [FULL] = 'full', [CONFLICT] = 'conflict'}
local queue, intermediate, wip, queues, counters, canceled, urgent_ids = unpack(KEYS)
local limit, place, now, keep_s, counters_live_s = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local job_prefix, key_prefix, keys_live_s = ARGV[6], ARGV[7], ARGV[8]
local common, jobs = cmsgpack.unpack(ARGV[9]), cmsgpack.unpack(ARGV[10])

local function inside()
  local found = redis.call('LLEN', queue) + redis.call('ZCARD', wip)
  local popped = redis.call('LRANGE', intermediate, 0, -1)
  if #popped > 0 then
    -- a job that a worker is just registering stands in both, and counts once; a wip entry is "job:execution"
    local registered = {}
    for _, entry in ipairs(redis.call('ZRANGE', wip, 0, -1)) do
      registered[string.match(entry, '^[^:]+')] = true
    end
    for _, id in ipairs(popped) do
      if not registered[id] then found = found + 1 end
    end
  end
  return found
end
local depth = inside()

-- a witness of its own: the ledger compares these with the record
local counts = {}
local function count(run, name)
  local field = run .. ':' .. name
  counts[field] = (counts[field] or 0) + 1
end

-- How many urgent jobs wait, and the last of them: they stand together at the head of the queue. What was taken out of
-- the queue by others leaves this list when it is met.
local function urgent_waiting()
  while true do
    local last = redis.call('LINDEX', urgent_ids, -1)
    if not last then return 0 end
    local at = redis.call('LPOS', queue, last)
    if at then return at + 1, last end
    redis.call('RPOP', urgent_ids)
  end
end

local function drop(id)
  -- as RQ cancels; a hash that is gone must not come back with a status and nothing else
  if redis.call('EXISTS', job_prefix .. id) == 1 then
    redis.call('HSET', job_prefix .. id, 'status', 'canceled')
    redis.call('EXPIRE', job_prefix .. id, keep_s)
  end
  redis.call('ZADD', canceled, now + keep_s, id)
  redis.call('ZREMRANGEBYSCORE', canceled, '-inf', '(' .. now)
  count(string.match(id, '^[^-]*'), 'dropped')
end

-- Jobs that wait leave for one that comes, if that makes room. More than one must where the limit has been lowered.
local function make_room(urgent)
  local surplus, waiting = depth - limit + 1, redis.call('LLEN', queue)
  local pop
  if place == 'drop_oldest' and waiting >= surplus then
    pop = 'LPOP'
  elseif place == 'priority' and urgent and waiting - urgent_waiting() >= surplus then
    pop = 'RPOP'
  else
    return false, {}
  end
  local dropped = {}
  for at = 1, surplus do
    dropped[at] = redis.call(pop, queue)
    drop(dropped[at])
  end
  depth = depth - surplus
  return true, dropped
end

-- Workers take from the head.
local function put(id, urgent)
  if place == 'lifo' then
    redis.call('LPUSH', queue, id)
  elseif place == 'priority' and urgent then
    local before, last = urgent_waiting()
    if last then
      redis.call('LINSERT', queue, 'AFTER', last, id)
    else
      redis.call('LPUSH', queue, id)
    end
    redis.call('RPUSH', urgent_ids, id)
    redis.call('LTRIM', urgent_ids, -1 - before, -1)
    redis.call('EXPIRE', urgent_ids, counters_live_s)
  else
    redis.call('RPUSH', queue, id)
  end
end

local function write(id, data, description, timeout, meta)
  local job = job_prefix .. id
  redis.call('HSET', job, 'data', data, 'description', description, 'timeout', timeout, unpack(common))
  if meta ~= '' then redis.call('HSET', job, 'meta', meta) end
end

local function decide(data, run, id, urgent, key, description, timeout, meta)
  local known = key ~= '' and redis.call('GET', key_prefix .. key)
  if known then
    local same = string.sub(known, 1, 40) == redis.sha1hex(data)
    return same and DUPLICATE or CONFLICT, string.sub(known, 41), {}
  elseif redis.call('EXISTS', job_prefix .. id) == 1 then
    return DUPLICATE, id, {}
  end
  local dropped = {}
  if limit >= 0 and depth >= limit then
    local room
    room, dropped = make_room(urgent)
    if not room then return FULL, id, {} end
  end
  redis.call('SADD', queues, queue)
  write(id, data, description, timeout, meta)
  put(id, urgent)
  depth = depth + 1
  if key ~= '' then redis.call('SET', key_prefix .. key, redis.sha1hex(data) .. id, 'EX', keys_live_s) end
  return ADMITTED, id, dropped
end

local answers = {}
for at, job in ipairs(jobs) do
  local outcome, id, dropped = decide(ARGV[10 + at], unpack(job, 1, 7))
  count(job[1], NAMES[outcome])
  answers[at] = {outcome, depth, id, dropped}
end
for field, by in pairs(counts) do redis.call('HINCRBY', counters, field, by) end
redis.call('EXPIRE', counters, counters_live_s)
return cmsgpack.pack(answers)
