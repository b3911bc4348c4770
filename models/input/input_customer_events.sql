{{ select_input('customer_events') }}
