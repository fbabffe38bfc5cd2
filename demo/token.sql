-- The JWT of the demo's user of this :name, signed with :secret by HS256.
WITH claims AS (
    SELECT json_build_object('sub', u.auth_user_id, 'role', 'demo_member', 'aud', 'authenticated', 'organization_id', u.organization_id,
                             'exp', extract(epoch FROM now())::bigint + 3600)::text AS payload
      FROM assignment_reminders.users u
     WHERE u.name = :'name' AND u.auth_user_id IS NOT NULL
), encoded AS (
    SELECT translate(encode('{"alg":"HS256","typ":"JWT"}', 'base64'), E'+/=\n', '-_') || '.'
           || translate(encode(convert_to(payload, 'UTF8'), 'base64'), E'+/=\n', '-_') AS signed
      FROM claims
)
SELECT signed || '.' || translate(encode(public.hmac(signed, :'secret', 'sha256'), 'base64'), E'+/=\n', '-_') FROM encoded;
