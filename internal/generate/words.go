package generate

// accountName invents a name for an account of a level: a distributor, its
// resellers, their customers, and what customers divide themselves into.
func accountName(d dice, level int) string {
	switch level {
	case 1:
		return pick(d, companies()) + " Distribution"
	case 2:
		return pick(d, companies()) + " " + pick(d, []string{"Partners", "Resale", "Networks", "Channel", "Alliance"})
	case 3:
		return pick(d, companies()) + " " + pick(d, []string{"Foods", "Logistics", "Insurance", "Software", "Clinics", "Energy", "Hotels", "Retail", "Textiles", "Robotics"})
	case 4:
		return pick(d, []string{"Sales", "Finance", "Engineering", "Operations", "Marketing", "Procurement", "Customer Care", "Research", "Quality", "Legal"}) +
			" " + pick(d, []string{"North", "South", "East", "West", "Central", "Overseas"})
	default:
		return pick(d, cities()) + " " + pick(d, []string{"Office", "Branch", "Warehouse", "Plant", "Shop", "Depot", "Team"})
	}
}

func companies() []string {
	return []string{
		"Alder", "Amberline", "Basalt", "Birchfield", "Bluewater", "Brightholm", "Cedar", "Cobalt", "Copperleaf", "Dovetail",
		"Eastgate", "Everfield", "Fernhill", "Flint", "Foxglove", "Granary", "Greystone", "Harbour", "Hazelwood", "Ironbridge",
		"Juniper", "Kingfisher", "Lanternside", "Larkspur", "Marlow", "Meridian", "Millrace", "Northwind", "Oakhaven", "Orchard",
		"Pinecrest", "Quarry", "Redwood", "Riverbend", "Saltmarsh", "Silverbirch", "Stonebridge", "Thornbury", "Underhill", "Vale",
		"Westmoor", "Whitecliff", "Willow", "Windmill", "Yarrow", "Zephyr",
	}
}

func cities() []string {
	return []string{
		"Aarhus", "Antwerp", "Bilbao", "Bologna", "Bristol", "Cork", "Cusco", "Durban", "Fukuoka", "Gdansk", "Ghent", "Graz",
		"Hamburg", "Izmir", "Kigali", "Leeds", "Lyon", "Mombasa", "Montreal", "Nairobi", "Oslo", "Osaka", "Perth", "Porto",
		"Quito", "Riga", "Rosario", "Seville", "Tallinn", "Turin", "Utrecht", "Valencia", "Vilnius", "Winnipeg", "Zagreb",
	}
}

func firstNames() []string {
	return []string{
		"Aisha", "Alma", "Amir", "Anton", "Beatriz", "Bruno", "Chidi", "Clara", "Daniel", "Dina", "Elif", "Emil", "Esther",
		"Farah", "Felix", "Gita", "Hana", "Hugo", "Ines", "Ivan", "Jana", "Jonas", "Kofi", "Lara", "Leo", "Lin", "Maja",
		"Marek", "Mei", "Nadia", "Nils", "Olga", "Omar", "Paula", "Priya", "Rafael", "Rosa", "Samir", "Sara", "Tomas", "Uma",
		"Vera", "Viktor", "Wanda", "Yara", "Yusuf", "Zoe",
	}
}

func lastNames() []string {
	return []string{
		"Abara", "Andersen", "Baker", "Bianchi", "Carter", "Costa", "Dubois", "Eriksen", "Ferreira", "Fischer", "Garcia", "Haddad",
		"Hansen", "Horvat", "Ibrahim", "Ito", "Jansen", "Kaya", "Keller", "Kowalski", "Kumar", "Larsen", "Lopez", "Mbeki",
		"Meyer", "Moreau", "Murphy", "Nakamura", "Novak", "Okafor", "Olsen", "Park", "Petrov", "Quinn", "Rossi", "Santos",
		"Schmidt", "Silva", "Singh", "Tanaka", "Toth", "Vargas", "Virtanen", "Walsh", "Weber", "Yilmaz", "Zhang",
	}
}
