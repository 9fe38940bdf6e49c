package rules

// Encoding, as the code names them.
const (
	ParameterPayload        ID = "parameter-payload"
	KeyValueType            ID = "kvp-type-bound"
	KeyValueLength          ID = "kvp-length-bound"
	KeyValueForm            ID = "kvp-form"
	ReasonLength            ID = "reason-length"
	Integers                ID = "integers"
	IntegerCodePoint        ID = "integer-code-point"
	MessageType             ID = "message-type"
	MessageStream           ID = "message-stream"
	ParameterOrder          ID = "parameter-order"
	ParameterUnknown        ID = "parameter-unknown"
	SetupOptionUnknown      ID = "setup-option-unknown"
	SetupOptionDuplicates   ID = "setup-option-duplicates"
	Grease                  ID = "grease"
	GreaseErrors            ID = "grease-errors"
	ParameterRepeated       ID = "parameter-repeated"
	ParameterScope          ID = "parameter-scope"
	GroupOrderValue         ID = "group-order-value"
	ForwardValue            ID = "forward-value"
	FieldsSubscribe         ID = "fields-subscribe"
	FieldsSubscribeOK       ID = "fields-subscribe-ok"
	FieldsSubscribeUpdate   ID = "fields-subscribe-update"
	FieldsPublish           ID = "fields-publish"
	FieldsPublishOK         ID = "fields-publish-ok"
	FieldsFetch             ID = "fields-fetch"
	FieldsFetchOK           ID = "fields-fetch-ok"
	DeliveryTimeoutValue    ID = "delivery-timeout-value"
	DeliveryTimeoutProperty ID = "delivery-timeout-property"
	PublisherPriorityValue  ID = "publisher-priority-value"
	SubscriberPriorityValue ID = "subscriber-priority-value"
	FilterLength            ID = "filter-length"
	FilterType              ID = "filter-type"
	FilterBound             ID = "filter-group-bound"
	DynamicGroupsValue      ID = "dynamic-groups-value"
	DefaultGroupOrderValue  ID = "default-group-order-value"
	GreaseProperties        ID = "grease-properties"
	IncludePropertiesValue  ID = "include-properties-value"
	FillParametersScope     ID = "fill-parameters-scope"
)

// encodings are the rules of how messages, parameters and numbers are written.
var encodings = []Rule{
	{
		ID: KeyValueType, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A type that its delta takes past the largest number closes the session.",
		In:   "16 1.4.2/1; 17-19 1.4.3/1; 20 1.4.3; 21-22 8.3",
	},
	{
		ID: KeyValueLength, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A value of a key-value pair has no more than 65,535 bytes; a longer one closes the session.",
		In:   "14-15 1.4.2/1; 16 1.4.2/2; 17-19 1.4.3/2; 20 1.4.3; 21-22 8.3",
	},
	{
		ID: KeyValueForm, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A value that does not have the form of its type closes the session with " +
			"KEY_VALUE_FORMATTING_ERROR.",
		In: "14-15 1.4.2/2; 16 1.4.2/3; 17-19 1.4.3/3; 20 1.4.3; 21-22 8.3",
	},
	{
		ID: ReasonLength, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A reason phrase has no more than 1,024 bytes; a longer one closes the session.",
		In:   "14-16 1.4.3/1; 17-19 1.4.4/1; 20 1.4.4; 21-22 8.5",
	},
	{
		ID: Integers, Binds: Endpoint, Level: Must, By: Codec,
		Says: "Integers have the variable-length form of the draft.",
		In:   "14-16 1.4; 17-20 1.4.1; 21-22 8.1",
	},
	{
		ID: IntegerCodePoint, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "The integer whose first byte is 0xFC is not one, and closes the session.",
		In:   "17 1.4.1/1",
	},
	{
		ID: "printed-names", Binds: Outsider, Level: Must,
		Says: "A printed name is read back by rules that leave one way to write it.",
		Why:  "A name travels as bytes; how programs print it is not seen by a peer.",
		In:   "17-19 1.5.1/1; 20 1.5.1; 21 8.8.1; 22 8.8",
	},
	{
		ID: "printed-hex-case", Binds: Outsider, Level: Must,
		Says: "The hex digits of a printed name are lower case.",
		Why:  "A name travels as bytes; how programs print it is not seen by a peer.",
		In:   "17-18 1.5.1/2; 19 1.5.1/3; 20 1.5.1; 21 8.8.1; 22 8.8",
	},
	{
		ID: "printed-literals", Binds: Outsider, Level: Must,
		Says: "What a printed name can say literally is not there in hex.",
		Why:  "A name travels as bytes; how programs print it is not seen by a peer.",
		In:   "17-18 1.5.1/3; 19 1.5.1/4; 20 1.5.1; 21 8.8.1; 22 8.8",
	},
	{
		ID: "printed-hex-digits", Binds: Outsider, Level: Must,
		Says: "In a printed name two hex digits follow each period.",
		Why:  "A name travels as bytes; how programs print it is not seen by a peer.",
		In:   "17-18 1.5.1/4; 19 1.5.1/2; 20 1.5.1; 21 8.8.1; 22 8.8",
	},
	{
		ID: MessageType, Binds: Endpoint, Level: Must, By: Codec | Session | Cases,
		Says: "A message of an unknown type closes the session, and so does one whose length does not fit its " +
			"fields.",
		In: "14-17 9/1; 18-19 10/2; 20 10; 21-22 9",
	},
	{
		ID: MessageStream, Binds: Endpoint, Level: Must, By: Codec | Session | Cases,
		Says: "A message comes on the kind of stream, and where in it, that the draft says.",
		In:   "14-16 3.3; 17 3.3 9; 18-20 3.3 10; 21-22 6.3 9",
	},
	{
		ID: "message-first", Binds: Endpoint, Level: Must, By: Session | Cases,
		Says: "A message that opens a request stream is the first on it.",
		In:   "18-19 10/1; 20 10; 21-22 9",
	},
	{
		ID: SetupOptionDuplicates, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A setup option is in a message once, unless it says otherwise; a receiver skips options that " +
			"it does not know.",
		In: "17 9.4/2; 18-19 10.3/2; 20 10.3; 21-22 9.1",
	},
	{
		ID: SetupOptionUnknown, Binds: Endpoint, Level: Must, By: Cases,
		Says: "Setup options that the receiver does not know are ignored.",
		In:   "14-16 9.3/1; 17 9.4/1 13/2; 18-19 10.3/1 14/2 15.4/1; 20 10.3 14 15.4; 21-22 9.1 13 16.4",
	},
	{
		ID: ParameterOrder, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "Parameters are in ascending order of type; a type past the largest number closes the session.",
		In:   "17 9.3/1; 18-19 10.2/1; 20 10.2; 21-22 9.20",
	},
	{
		ID: ParameterUnknown, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A message parameter that the draft does not define closes the session.",
		In:   "16 9.2/1; 17 9.3/2; 18-19 10.2/2; 20 10.2; 21-22 9.20",
	},
	{
		ID: ParameterRepeated, Binds: Endpoint, Level: Must, By: Codec,
		Says: "A parameter is in a message once, unless its definition says otherwise.",
		In:   "14-15 9.2/1; 16 9.2/2; 17 9.3/3; 18-19 10.2/3; 20 10.2; 21-22 9.20",
	},
	{
		ID: ParameterPayload, Binds: Publisher, Level: Must, By: Cases,
		Says: "No parameter changes the payload of the objects that are sent.",
		In:   "14 5.1/7; 15 9.2/2; 16 9.2/3; 17 9.3/4,5; 18-19 10.2/4; 20 10.2; 21-22 9.20",
	},
	{
		ID: "parameter-foreign", Binds: Endpoint, Level: Must, By: Cases,
		Says: "A parameter in a message where it may not appear is ignored.",
		In:   "14-15 9.2.1/1; 16 9.2.2/1",
	},
	{
		ID: ParameterScope, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A parameter in a message where it may not appear closes the session.",
		In:   "17 9.3.1/1; 18-19 10.2.1/1; 20 10.2.1; 21-22 9.20.1",
	},
	{
		ID: GroupOrderValue, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "GROUP_ORDER is ascending or descending; another value closes the session.",
		In:   "15 9.2.1.6/1; 16 9.2.2.4/1; 17 9.3.6/1; 18-19 10.2.8/1; 20 10.2.8; 21 9.20.9; 22 9.20.8",
	},
	{
		ID: ForwardValue, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "FORWARD is 0 or 1; another value closes the session.",
		In: "15 9.2.1.10/1; 16 9.2.2.8/1; 17 9.3.10/1; 18 10.2.12/1; 19 10.2.17/1; 20 10.2.18; 21 9.20.19; 22 " +
			"9.20.18",
	},
	{
		ID: FieldsSubscribe, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A field of SUBSCRIBE has one of the values that are named for it; another one closes the session.",
		In:   "14 9.7/4",
	},
	{
		ID: FieldsSubscribeOK, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A field of SUBSCRIBE_OK has one of the values that are named for it; another one closes the " +
			"session.",
		In: "14 9.8/2",
	},
	{
		ID: FieldsSubscribeUpdate, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A field of SUBSCRIBE_UPDATE has one of the values that are named for it; another one closes the " +
			"session.",
		In: "14 9.10/4",
	},
	{
		ID: FieldsPublish, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A field of PUBLISH has one of the values that are named for it; another one closes the session.",
		In:   "14 9.13/2",
	},
	{
		ID: FieldsPublishOK, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A field of PUBLISH_OK has one of the values that are named for it; another one closes the session.",
		In:   "14 9.14",
	},
	{
		ID: FieldsFetch, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A field of FETCH has one of the values that are named for it; another one closes the session.",
		In:   "14 9.16",
	},
	{
		ID: FieldsFetchOK, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A field of FETCH_OK has one of the values that are named for it; another one closes the session.",
		In:   "14 9.17",
	},
	{
		ID: DeliveryTimeoutValue, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "DELIVERY_TIMEOUT is greater than 0; a 0 closes the session.",
		In:   "16 9.2.2.2/1",
	},
	{
		ID: DeliveryTimeoutProperty, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "The DELIVERY_TIMEOUT of a track is greater than 0; a 0 closes the session.",
		In:   "16 11/1",
	},
	{
		ID: PublisherPriorityValue, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "The default publisher priority is 0 to 255; a greater one closes the session.",
		In:   "15 9.2.1.4; 16 11; 17 11.3; 18-20 12.4; 21-22 10.4",
	},
	{
		ID: SubscriberPriorityValue, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "SUBSCRIBER_PRIORITY is 0 to 255; a greater one closes the session.",
		In:   "15 9.2.1.5/1; 16 9.2.2.3/1",
	},
	{
		ID: FilterLength, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A location filter fills its parameter exactly; otherwise the session is closed.",
		In:   "15 9.2.1.7/1; 16 9.2.2.5/1; 17-20 5.1.2; 21 9.20.10",
	},
	{
		ID: FilterType, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A filter of an unknown type closes the session.",
		In:   "14 9.7/3; 15-16 5.1.2/2; 17 5.1.2/1; 18-19 5.1.2/2; 20 5.1.2; 21 9.20.10; 22 9.20.9",
	},
	{
		ID: FilterBound, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "The end of a filter is not before its start, nor past the largest Group ID; otherwise the session " +
			"is closed.",
		In: "14 9.7/2; 15-16 5.1.2/1; 17 5.1.2; 18-19 5.1.2/1; 20 5.1.2; 21 9.20.10; 22 9.20.9",
	},
	{
		ID: DynamicGroupsValue, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "DYNAMIC_GROUPS is 0 or 1; a greater value closes the session.",
		In:   "15 9.2.1.11; 16 11/4; 17 11.5/1; 18-19 12.6/1; 20 12.6; 21-22 10.6",
	},
	{
		ID: DefaultGroupOrderValue, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "The default group order of a track is ascending or descending; another value closes the session.",
		In:   "16 11/3; 17 11.4/1; 18-19 12.5/1; 20 12.5; 21-22 10.5",
	},
	{
		ID: Grease, Binds: Endpoint, Level: Must, By: Cases,
		Says: "An unknown value in a registry that may grow does not close the session by itself.",
		In:   "17 13/1; 18-19 14/1; 20 14; 21-22 13",
	},
	{
		ID: GreaseProperties, Binds: Endpoint, Level: Must, By: Cases,
		Says: "Properties that the receiver does not know are skipped, and a relay passes them on.",
		In:   "17 14.4/1; 18-19 14/3 15.8/1; 20 14 15.8; 21-22 13 16.8",
	},
	{
		ID: GreaseErrors, Binds: Endpoint, Level: Must, By: Cases,
		Says: "An unknown error code counts as INTERNAL_ERROR, and does not close the session.",
		In:   "18-19 14/4; 20 14; 21-22 13",
	},
	{
		ID: IncludePropertiesValue, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "INCLUDE_PROPERTIES is 0 or 1; another value closes the session.",
		In:   "20 10.2.21; 21 9.20.22; 22 9.20.21",
	},
	{
		ID: FillParametersScope, Binds: Endpoint, Level: Must, By: Codec | Cases,
		Says: "A parameter that may not be in FILL_PARAMETERS closes the session.",
		In:   "20 10.2.15; 21 9.20.16; 22 9.20.15",
	},
}
