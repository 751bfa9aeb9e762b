-- Decide and write in one step, so that no number of producers can pass the limit together.
-- KEYS: 1 queue, 2 intermediate, 3 wip, 4 job, 5 rq:queues, 6 counters
-- ARGV: 1 limit (-1 none), 2 run, 3 job id, 4 seconds the counters live, 5… fields and values of the job hash
-- Returns {1, depth with this job} admitted, {0, depth} full, {-1, depth} duplicate.
local depth = redis.call('LLEN', KEYS[1]) + redis.call('ZCARD', KEYS[3])
local popped = redis.call('LRANGE', KEYS[2], 0, -1)
if #popped > 0 then
  -- a job that a worker is just registering stands in both, and counts once; a wip entry is "job:execution"
  local registered = {}
  for _, entry in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
    registered[string.match(entry, '^[^:]+')] = true
  end
  for _, id in ipairs(popped) do
    if not registered[id] then depth = depth + 1 end
  end
end
local limit = tonumber(ARGV[1])
local decision = 1
if redis.call('EXISTS', KEYS[4]) == 1 then
  decision = -1
elseif limit >= 0 and depth >= limit then
  decision = 0
end
-- a witness of its own: the ledger compares these with the record
local names = {[1] = ':admitted', [0] = ':full', [-1] = ':duplicate'}
redis.call('HINCRBY', KEYS[6], ARGV[2] .. names[decision], 1)
redis.call('EXPIRE', KEYS[6], ARGV[4])
if decision == 1 then
  redis.call('SADD', KEYS[5], KEYS[1])
  redis.call('HSET', KEYS[4], unpack(ARGV, 5))
  redis.call('RPUSH', KEYS[1], ARGV[3])
  depth = depth + 1
end
return {decision, depth}
