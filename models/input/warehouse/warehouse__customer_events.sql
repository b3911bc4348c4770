-- depends_on: {{ source('warehouse', 'customer_events') }}
{{ read_data_file() }}
