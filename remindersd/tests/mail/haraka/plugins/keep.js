// Takes messages from whoever has logged in over TLS, and keeps each as a file in $MAILS, as it came, behind the headers that Haraka adds.
'use strict'

const fs = require('node:fs')
const path = require('node:path')

exports.hook_rcpt = (next, connection) => {
    connection.tls.enabled && connection.relaying ? next(OK) : next(DENY, 'log in first, over TLS')
}

// Whoever has logged in sends out, and Haraka would do so.
exports.hook_queue_outbound = exports.hook_queue = (next, connection) => {
    const { transaction } = connection
    const file = fs.createWriteStream(path.join(process.env.MAILS, `${transaction.uuid}.eml`))
    file.once('close', () => next(OK, `queued as ${transaction.uuid}`))
    file.once('error', (error) => next(DENYSOFT, error.message))
    transaction.message_stream.pipe(file)
}
