-- What partners do all day: polls of a report, now and then an event, a page of courses, a page of the journal.
-- `wrk … -s mixed.lua URL -- KEY RUN`
dofile(debug.getinfo(1, "S").source:sub(2):match("(.*/)") .. "report.lua")

local polls, courses, journal, post, run
local count = 0

local function get(head, path)
    return "GET " .. path .. " HTTP/1.1\r\n" .. head .. "\r\n"
end

function init(arguments)
    local head = "Host: " .. wrk.host .. ":" .. wrk.port .. "\r\nAuthorization: Bearer " .. arguments[1] .. "\r\n"
    run = arguments[2]
    polls = get(head, "/v1/revenue?period=2025-01&group_by=course&limit=10")
    courses = get(head, "/v1/courses?limit=20")
    journal = get(head, "/v1/events?limit=20")
    post = "POST /v1/events HTTP/1.1\r\n" .. head .. "Content-Type: application/json\r\nContent-Length: "
end

function request()
    count = count + 1
    local turn = count % 10
    if turn == 0 then return courses end
    if turn == 5 then return journal end
    if turn ~= 3 and turn ~= 7 then return polls end
    local body = string.format('[{"event_id":"%s-%d","type":"progress","occurred_at":"2026-01-15T10:00:00Z",'
        .. '"learner":"learner-%d","provider":"school","course_id":"c%d","progress_ppm":%d}]', run, count,
        count * 7919 % 100003, count % 100, count * 31 % 1000000)
    return post .. #body .. "\r\n\r\n" .. body
end
