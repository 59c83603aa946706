import { describe, expect, it } from "vitest";
import { toDict } from "../python/value.ts";
import { startExecution } from "./execute.ts";

/** Calls and what the original answers, from its default state. */
const vectors: Record<string, [call: string, result: string][]> = {
  TicketAPI: [
    ["create_ticket('Leak')", '{"error": "User not authenticated. Please log in to create a ticket."}'],
    ["ticket_login(username='ann', password='x')", '{"success": true}'],
    [
      "create_ticket(title='Leak', priority=2)",
      '{"id": 1, "title": "Leak", "description": "", "status": "Open", "priority": 2, "created_by": "ann"}',
    ],
    ["create_ticket('Leak', 'roof', 9)", '{"error": "Invalid priority. Priority must be between 1 and 5."}'],
    [
      "create_ticket('Leak', priority='high')",
      "Error during execution: '<' not supported between instances of 'str' and 'int'",
    ],
    [
      "edit_ticket(1, {'status': 'Open', 'title': None})",
      '{"status": "Ticket 1 has been updated successfully."}',
    ],
    ["edit_ticket(1, {'owner': 'bob'})", '{"error": "Invalid fields for update: owner"}'],
    ["resolve_ticket(1, 'fixed')", '{"status": "Ticket 1 has been resolved successfully."}'],
    ["resolve_ticket(1.0, 'fixed')", '{"error": "Ticket with ID 1.0 is already resolved."}'],
    [
      "get_user_tickets(status='RESOLVED')",
      "[{'id': 1, 'title': 'Leak', 'description': '', 'status': 'Resolved', 'priority': 2, 'created_by': 'ann', 'resolution': 'fixed'}]",
    ],
    ["get_ticket(7)", '{"error": "Ticket with ID 7 not found."}'],
  ],
  MessageAPI: [
    [
      "message_login('USR001')",
      '{"login_status": true, "message": "User \'USR001\' logged in successfully."}',
    ],
    [
      "send_message(receiver_id='USR002', message='Hi')",
      '{"sent_status": true, "message_id": {"new_id": 67410}, "message": "Message sent to \'USR002\' successfully."}',
    ],
    ["send_message('USR009', 'Hi')", '{"error": "Receiver ID \'USR009\' not found."}'],
    ["search_messages('hi')", '{"results": [{"receiver_id": "USR002", "message": "Hi"}]}'],
    [
      "view_messages_sent()",
      '{"messages": {"USR002": ["My name is Alice. I want to connect.", "Hi"], "USR003": ["Could you upload the file?"], "USR004": ["Could you upload the file?"]}}',
    ],
    [
      "delete_message('USR002')",
      '{"deleted_status": true, "receiver_id": "USR002", "message": "Receiver USR002\'s latest message deleted successfully."}',
    ],
    [
      "add_contact('Eve')",
      '{"added_status": true, "user_id": "USR005", "message": "Contact \'Eve\' added successfully."}',
    ],
    ["get_message_stats()", '{"stats": {"received_count": 3, "total_contacts": 3}}'],
    ["search_messages(3)", "Error during execution: 'int' object has no attribute 'lower'"],
  ],
  TwitterAPI: [
    ["post_tweet('a')", '{"error": "User not authenticated. Please authenticate before posting."}'],
    ["authenticate_twitter('john', 'john123')", '{"authentication_status": true}'],
    [
      "post_tweet('Hello', ['#x'])",
      '{"id": 0, "username": "john", "content": "Hello", "tags": ["#x"], "mentions": []}',
    ],
    ["retweet(0)", '{"retweet_status": "Successfully retweeted"}'],
    ["retweet(0)", '{"retweet_status": "Already retweeted"}'],
    ["comment(0, 'nice')", '{"comment_status": "Comment added successfully"}'],
    ["get_tweet_comments(0)", "[{'username': 'john', 'content': 'nice'}]"],
    ["follow_user('alice')", '{"follow_status": false}'],
    ["get_user_stats('john')", '{"tweet_count": 1, "following_count": 2, "retweet_count": 1}'],
    [
      "search_tweets('HELL')",
      "[{'id': 0, 'username': 'john', 'content': 'Hello', 'tags': ['#x'], 'mentions': []}]",
    ],
    ["get_tweet('0')", '{"error": "Tweet with ID 0 not found."}'],
  ],
  TradingBot: [
    [
      "place_order('Buy', 'AAPL', 227.16, 10)",
      '{"error": "User not authenticated. Please log in to place an order."}',
    ],
    ["trading_login('a', 'b')", '{"status": "Logged in successfully"}'],
    [
      "place_order(order_type='Buy', symbol='AAPL', price=227, amount=100)",
      '{"error": "Insufficient funds: required $22700.00 but only $10000.00 available."}',
    ],
    [
      "place_order('Buy', 'ZETA', 22, 3)",
      '{"order_id": 12446, "order_type": "Buy", "status": "Pending", "price": 22.0, "amount": 3}',
    ],
    ["fund_account(100)", '{"status": "Account funded successfully", "new_balance": 10100.0}'],
    ["withdraw_funds(5)", '{"error": "Market is closed. Transactions are not allowed."}'],
    ["get_transaction_history('2024-09-01', '2024-9-2')", '{"transaction_history": []}'],
    ["get_transaction_history('2024-02-30')", "Error during execution: day is out of range for month"],
    ["filter_stocks_by_price(['AAPL', 'ZETA', 'NONE'], 0, 100.5)", '{"filtered_stocks": ["ZETA", "NONE"]}'],
    [
      "notify_price_change(['TSLA', 'QUAS'], 0.1)",
      '{"notification": "Stocks TSLA have significant price changes."}',
    ],
    [
      "get_order_details(1)",
      '{"error": "Order with ID 1 not found.Here is the list of orders_id: [12345, 12446]"}',
    ],
  ],
  TravelAPI: [
    [
      "authenticate_travel('c', 's', 'r', 'read_write', 'Ann', 'Lee')",
      '{"expires_in": 2, "access_token": "251675", "token_type": "Bearer", "scope": "read_write"}',
    ],
    ["get_flight_cost('SFO', 'LAX', '2024-11-16', 'first')", '{"travel_cost_list": [1000.0]}'],
    [
      "get_flight_cost('SFO', 'XXX', '2024-11-16', 'first')",
      "Error during execution: No available route for the given airports.",
    ],
    ["compute_exchange_rate('EUR', 'USD', 10)", '{"exchanged_value": 12.5}'],
    ["compute_exchange_rate('USD', 'RMB', 3)", '{"exchanged_value": 21.0}'],
    [
      "verify_traveler_information('Bob', 'Lee', '1990-01-01', 'US1')",
      '{"verification_status": false, "verification_failure": "Cannot book flight information for another user.Expected Ann Lee, got Bob Lee"}',
    ],
    [
      "book_flight('x', 'c', '2024-11-16', 'SFO', 'LAX', 'first')",
      '{"booking_status": false, "error": "Invalid access token"}',
    ],
    ["get_nearest_airport_by_city('Tokyo')", '{"nearest_airport": "HND"}'],
  ],
  VehicleControlAPI: [
    [
      "startEngine('START')",
      '{"error": "All doors must be locked before starting the engine. Here are the unlocked doors: driver, passenger, rear_left, rear_right"}',
    ],
    [
      "lockDoors(unlock=False, door=['driver', 'passenger', 'rear_left', 'rear_right'])",
      '{"lockStatus": "locked", "remainingUnlockedDoors": 0}',
    ],
    ["lockDoors(False, ['trunk'])", "Error during execution: 'trunk'"],
    ["pressBrakePedal(0.5)", '{"brakePedalStatus": "pressed", "brakePedalForce": 500.0}'],
    ["pressBrakePedal(True)", '{"brakePedalStatus": "pressed", "brakePedalForce": 1000.0}'],
    ["fillFuelTank(10)", '{"fuelLevel": 10.0}'],
    [
      "startEngine(ignitionMode='START')",
      '{"engineState": "running", "fuelLevel": 10.0, "batteryVoltage": 12.6}',
    ],
    [
      "adjustClimateControl(72, 'fahrenheit')",
      '{"currentACTemperature": 72, "climateMode": "auto", "humidityLevel": 50.0}',
    ],
    [
      "displayCarStatus('climate')",
      '{"currentACTemperature": 22.22222222222222, "fanSpeed": 50, "climateMode": "auto", "humidityLevel": 50.0}',
    ],
    ["get_outside_temperature_from_google()", '{"outsideTemperature": 36.63485703790535}'],
    [
      "setCruiseControl('65', 1, 100)",
      '{"cruiseStatus": "active", "currentSpeed": 65.0, "distanceToNextVehicle": 100.0}',
    ],
    ["estimate_distance('83214', '74532')", '{"distance": 750.0}'],
    ["estimate_drive_feasibility_by_mileage(200)", '{"canDrive": true}'],
    [
      "check_tire_pressure()",
      '{"frontLeftTirePressure": 32.0, "frontRightTirePressure": 32.0, "rearLeftTirePressure": 30.0, "rearRightTirePressure": 30.0, "healthy_tire_pressure": true, "car_info": {}}',
    ],
  ],
};

describe("a simulated service", () => {
  it.each(Object.entries(vectors))("answers as the original does: %s", (name, pairs) => {
    const { run } = startExecution({
      id: "vector",
      involvedClasses: [name],
      initialConfig: toDict({ [name]: new Map() }),
      longContext: false,
      owner: "test",
    });
    expect(run(pairs.map(([call]) => call))).toEqual(pairs.map(([, result]) => result));
  });
});
