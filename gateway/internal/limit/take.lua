-- Takes up to n permits of a bucket that is refilled all the time, and of the count of a day. The bucket holds a second's
-- permits at most; after a second without questions it begins anew, with the burst. All is counted in whole numbers: the
-- bucket in millionths of a permit, and a rate per second is as many of these per microsecond.
-- KEYS: bucket, count of the day
-- ARGV: n, rate, burst, quota (0: no limit), permits of the day that the caller knows of, those it gave out alone,
--       milliseconds to keep the count
-- gives: permits, what is left in the bucket, permits of the day
local n, rate, burst, quota = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local level, now, used = 0, 0, 0

if rate > 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  level = burst * 1000000
  local held = redis.call('GET', KEYS[1])
  if held then
    local left, at = string.match(held, '^(%d+):(%d+)$')
    -- Another server's clock may be behind: time never runs backwards here.
    local passed = math.max(now - tonumber(at), 0)
    if passed < 1000000 then
      level = math.min(rate * 1000000, tonumber(left) + passed * rate)
    end
  end
  n = math.min(n, math.floor(level / 1000000))
end

if quota > 0 then
  -- A server that lost its memory learns from the gateways what was given out.
  used = math.max(tonumber(redis.call('GET', KEYS[2]) or 0), tonumber(ARGV[5])) + tonumber(ARGV[6])
  n = math.min(n, math.max(quota - used, 0))
  used = used + n
  redis.call('SET', KEYS[2], string.format('%.0f', used), 'PX', ARGV[7])
end

if rate > 0 then
  level = level - n * 1000000
  redis.call('SET', KEYS[1], string.format('%.0f:%.0f', level, now), 'PX', 10000)
end

return {n, level, used}
