// The part of the dissector that does not depend on the schema: reading of values, frames and streams.

extension DissectorWriter {
  /// Functions that show one frame.
  static let reading = #"""
    -- Marks that Wireshark lists under "Expert Information".
    local faults, marks = {}, {
      encoding = "The encoding type is not 0xEB50", length = "The frame's length is not allowed",
      block = "The block's length is not right", count = "The group does not fit in the frame",
      schema = "Another schema", template = "A template that is not in the schema",
      value = "A value that is not in the schema", bytes = "No frame begins here",
    }
    for name, text in pairs(marks) do
      faults[name] = ProtoExpert.new(
        "joulebook.fault." .. name, text, expert.group.MALFORMED, expert.severity.ERROR)
    end
    faults.version = ProtoExpert.new(
      "joulebook.fault.version", "A version of the schema that this dissector does not know",
      expert.group.UNDECODED, expert.severity.WARN)
    joulebook.experts = faults

    -- The exact decimal number; Lua's own numbers have only 53 bits.
    local function decimal(value, digits)
      local text = tostring(value)
      local sign = ""
      if text:sub(1, 1) == "-" then sign, text = "-", text:sub(2) end
      text = string.rep("0", digits + 1 - #text) .. text
      return sign .. text:sub(1, -digits - 1) .. "." .. text:sub(-digits)
    end

    local function moment(value)
      local seconds = (value / 1000000000):tonumber()
      local fraction = string.format("%09d", (value % 1000000000):tonumber())
      return os.date("!%Y-%m-%d %H:%M:%S", seconds) .. "." .. fraction .. " UTC"
    end

    local readers = {
      uint8 = function(range) return range:uint() end,
      uint16 = function(range) return range:le_uint() end,
      uint32 = function(range) return range:le_uint() end,
      uint64 = function(range) return range:le_uint64() end,
      int8 = function(range) return range:int() end,
      int16 = function(range) return range:le_int() end,
      int32 = function(range) return range:le_int() end,
      int64 = function(range) return range:le_int64() end,
    }

    local function add(tree, block, entry)
      local field, offset, size, note = entry[1], entry[2], entry[3], entry[4]
      -- The block of an older sender is shorter.
      if offset + size > block:len() then return end
      local range = block(offset, size)
      local item = tree:add_le(field, range)
      for _, bit in ipairs(note.bits or {}) do item:add_le(bit, range) end
      if note.values ~= nil and note.values[range:uint()] == nil then
        item:add_proto_expert_info(faults.value)
      end
      -- Text is made for what is shown only, not while packets are filtered or listed.
      if note.read == nil or not tree.visible then return end
      local value = readers[note.read](range)
      if note.null ~= nil and tostring(value) == note.null then
        item:append_text(" (null)")
      elseif note.digits ~= nil then
        item:append_text(" (" .. decimal(value, note.digits) .. ")")
      elseif note.isTime then
        item:append_text(" (" .. moment(value) .. ")")
      elseif note.unit ~= nil then
        item:append_text(" " .. note.unit)
      end
    end

    local function add_group(tree, range, group)
      local size, count = range(0, 2):le_uint(), range(2, 2):le_uint()
      if size < group.block or 4 + size * count > range:len() then
        tree:add_proto_expert_info(faults.count, string.format(
          "%d %s of %d bytes each do not fit in %d bytes, or are shorter than %d", count,
          group.name, size, range:len() - 4, group.block))
        count = size < group.block and 0 or math.floor((range:len() - 4) / size)
      end
      for index = 0, count - 1 do
        local entry = range(4 + index * size, size)
        local branch = tree:add(entry, group.name .. " " .. (index + 1))
        for _, field in ipairs(group.fields) do add(branch, entry, field) end
      end
    end

    -- Shows a frame, whose length is allowed.
    local function show_frame(frame, pinfo, tree)
      local length, block_length, id = frame:len(), frame(4, 2):le_uint(), frame(6, 2):le_uint()
      local schema, version = frame(8, 2):le_uint(), frame(10, 2):le_uint()
      local message = schema == SCHEMA and messages[id] or nil
      local name = message and message.name or ("template " .. id)
      local branch = tree:add(joulebook, frame, "Joulebook " .. name)
      local length_item = branch:add_le(fields.length, frame(0, 2))
      branch:add_le(fields.encoding, frame(2, 2))
      if frame(0, 2):le_uint() ~= length then
        length_item:add_proto_expert_info(faults.length, string.format(
          "The frame's length is %d, but another frame begins after %d bytes",
          frame(0, 2):le_uint(), length))
      end
      local size_item = branch:add_le(fields.blockLength, frame(4, 2))
      local template_item = branch:add_le(fields.template, frame(6, 2))
      local schema_item = branch:add_le(fields.schema, frame(8, 2))
      local version_item = branch:add_le(fields.schemaVersion, frame(10, 2))
      pinfo.cols.protocol = "Joulebook"
      pinfo.cols.info:append(name .. " ")
      if schema ~= SCHEMA then
        schema_item:add_proto_expert_info(faults.schema)
        return
      end
      if version == 0 or version > VERSION then
        version_item:add_proto_expert_info(faults.version, string.format(
          "Version %d; this dissector knows 1 to %d", version, VERSION))
      end
      if message == nil then
        template_item:add_proto_expert_info(faults.template)
        return
      end
      if HEADER + block_length > length then
        size_item:add_proto_expert_info(faults.block, string.format(
          "The block of %d bytes does not fit in the frame of %d", block_length, length))
      elseif block_length < message.block and not message.ends[block_length] then
        size_item:add_proto_expert_info(faults.block, string.format(
          "The block of %d bytes ends inside a field; the schema's has %d", block_length,
          message.block))
      end
      local stop = math.min(HEADER + block_length, length)
      if stop > HEADER then
        local block = frame(HEADER, stop - HEADER)
        for _, entry in ipairs(message.fields) do add(branch, block, entry) end
      end
      if message.group == nil then return end
      if stop + 4 <= length then
        add_group(branch, frame(stop, length - stop), message.group)
      else
        branch:add_proto_expert_info(faults.count, "The frame ends before its group")
      end
    end

    """#

  /// Functions that find the frames of a stream.
  static let stream = #"""
    local function is_length(length)
      return length >= SHORTEST and length <= LONGEST and length % 8 == 0
    end

    -- Whether a frame may begin at `offset`, as far as its first 12 bytes are there.
    local function may_begin(buffer, offset)
      local left = buffer:len() - offset
      if left < 2 then return buffer(offset, 1):uint() % 8 == 0 end
      if not is_length(buffer(offset, 2):le_uint()) then return false end
      if left >= 4 and buffer(offset + 2, 2):le_uint() ~= ENCODING then return false end
      return left < 10 or buffer(offset + 8, 2):le_uint() == SCHEMA
    end

    -- Whether to show a frame at `offset`: one of this schema, or of another one if the next frame, or the end,
    -- comes where it says.
    local function is_frame(buffer, offset)
      if may_begin(buffer, offset) then return true end
      local length = buffer(offset, 2):le_uint()
      local stop = offset + length
      if buffer(offset + 2, 2):le_uint() ~= ENCODING or not is_length(length) then return false end
      return stop == buffer:len() or stop < buffer:len() and may_begin(buffer, stop)
    end

    -- The length of the frame at `offset`: what its header says, or less where its content ends earlier and
    -- another frame begins there.
    local function frame_length(buffer, offset)
      local length, left = buffer(offset, 2):le_uint(), buffer:len() - offset
      local message = left >= HEADER and messages[buffer(offset + 6, 2):le_uint()]
      if not message then return length end
      local content = HEADER + buffer(offset + 4, 2):le_uint()
      if message.group ~= nil then
        if left < content + 4 then return length end
        local group = buffer(offset + content, 4)
        content = content + 4 + group(0, 2):le_uint() * group(2, 2):le_uint()
      end
      content = math.ceil(content / 8) * 8
      if content < length and left >= content + HEADER and may_begin(buffer, offset + content) then
        return content
      end
      return length
    end

    -- Shows the bytes up to the next place where a frame may begin, and returns that place.
    local function show_garbage(buffer, offset, pinfo, tree)
      local stop = offset + 1
      while stop < buffer:len() and not may_begin(buffer, stop) do stop = stop + 1 end
      local range = buffer(offset, stop - offset)
      local text = string.format("Joulebook, %d bytes that are no frame", range:len())
      local item = tree:add(joulebook, range, text)
      pinfo.cols.protocol = "Joulebook"
      pinfo.cols.info:append("no frame ")
      if range:len() < 4 then
        item:add_proto_expert_info(faults.bytes)
      elseif range(2, 2):le_uint() == ENCODING then
        local length = item:add_le(fields.length, range(0, 2))
        item:add_le(fields.encoding, range(2, 2))
        length:add_proto_expert_info(faults.length, string.format(
          "The frame's length is %d, not %d to %d in multiples of 8", range(0, 2):le_uint(),
          SHORTEST, LONGEST))
      elseif range(0, 2):le_uint() == range:len() then
        item:add_le(fields.length, range(0, 2))
        item:add_le(fields.encoding, range(2, 2)):add_proto_expert_info(faults.encoding)
      else
        item:add_proto_expert_info(faults.bytes)
      end
      return stop
    end

    -- Asks for more bytes: `missing` of them, or another segment.
    local function wait_for_more(pinfo, offset, missing)
      pinfo.desegment_offset = offset
      pinfo.desegment_len = missing or DESEGMENT_ONE_MORE_SEGMENT
    end

    function joulebook.dissector(buffer, pinfo, tree)
      local offset, size = 0, buffer:len()
      pinfo.cols.info:clear()
      while offset < size do
        local left = size - offset
        if left < HEADER then
          if pinfo.can_desegment == 0 or not may_begin(buffer, offset) then
            offset = show_garbage(buffer, offset, pinfo, tree)
          else
            wait_for_more(pinfo, offset)
            return size
          end
        else
          local length = is_frame(buffer, offset) and frame_length(buffer, offset)
          if not length then
            offset = show_garbage(buffer, offset, pinfo, tree)
          elseif left < length then
            wait_for_more(pinfo, offset, length - left)
            return size
          else
            show_frame(buffer(offset, length), pinfo, tree)
            offset = offset + length
          end
        end
      end
      return size
    end

    local function is_joulebook(buffer, pinfo, tree)
      if buffer:len() < HEADER or buffer(2, 2):le_uint() ~= ENCODING then return false end
      if not may_begin(buffer, 0) then return false end
      -- The conversation is of this protocol, including segments that begin inside a frame.
      pinfo.conversation = joulebook
      joulebook.dissector(buffer, pinfo, tree)
      return true
    end

    joulebook:register_heuristic("tcp", is_joulebook)
    DissectorTable.get("tcp.port"):add(9100, joulebook)
    """#
}
