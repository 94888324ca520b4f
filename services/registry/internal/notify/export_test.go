package notify

// MaxAttempts and Next are what tests compare with.
const MaxAttempts = maxAttempts

// Next gives when digests go out.
var Next = Rhythm.next
